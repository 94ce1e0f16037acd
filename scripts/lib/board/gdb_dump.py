"""Runs inside gdb, attached to QEMU's stub: prints every virtual CPU. Sourced by monitor.py.

Each part may fail on its own, and then the rest is still printed: the guest may be in any state.
"""

import json
import os
import struct

import gdb

MASK = (1 << 64) - 1
KERNEL_TEXT = 0xffffffff80000000  # Modules included.
STACK_WORDS = 160
STACK_LINES = 24


def attempt(what, part):
    try:
        part()
    except Exception as error:  # gdb.error, gdb.MemoryError, a missing type...
        print(f"  ({what}: {error})")


def register(name):
    return int(gdb.parse_and_eval(f"(unsigned long)${name}")) & MASK


def word_at(address):
    return struct.unpack("<Q", gdb.selected_inferior().read_memory(address, 8))[0]


def text_at(address):
    data = bytes(gdb.selected_inferior().read_memory(address, 64))
    return data.split(b"\0", 1)[0].decode(errors="replace")


def offset_of(kind, name):
    return next(field.bitpos // 8 for field in kind.fields() if field.name == name)


def load_modules():
    """Tells gdb where each loaded module's sections are, as the kernel noted them for kallsyms.

    Reads memory rather than expressions where it can: with DEBUG_INFO_REDUCED, gdb does not know
    structures such as list_head. What is assumed: `next` leads a list_head, and a section's name
    leads its attribute.
    """
    files = json.loads(os.environ.get("BOARD_MODULES", "{}"))
    if not files:
        return
    module = gdb.lookup_type("struct module")
    # Not by name alone: other files may have a static variable of the same name.
    head = int(gdb.lookup_global_symbol("modules").value().address) & MASK
    sections = gdb.lookup_type("struct module_sect_attrs")
    section = gdb.lookup_type("struct module_sect_attr")
    node = word_at(head)
    for _ in range(512):
        if node == head:
            return
        base = node - offset_of(module, "list")
        node = word_at(node)
        path = files.get(text_at(base + offset_of(module, "name")).replace("-", "_"))
        if not path:
            continue
        noted = word_at(base + offset_of(module, "sect_attrs"))
        words = []
        for index in range(word_at(noted + offset_of(sections, "nsections")) & 0xffffffff):
            one = noted + offset_of(sections, "attrs") + index * section.sizeof
            name = text_at(word_at(one))
            if ".text" in name or name in (".data", ".bss", ".rodata"):
                words.append(f"-s {name} {word_at(one + offset_of(section, 'address')):#x}")
        if words:
            gdb.execute(f"add-symbol-file {path} {' '.join(words)}", to_string=True)


def registers():
    names = ("rip", "rsp", "rbp", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "cr3", "gs_base", "k_gs_base")
    values = [f"{name}={register(name):016x}" for name in names]
    for start in range(0, len(values), 4):
        print("  " + " ".join(values[start:start + 4]))
    flags = int(gdb.execute("info registers eflags", to_string=True).split()[1], 16)  # A type gdb cannot cast.
    print(f"  eflags={flags:08x} hard irqs {'on' if flags & 0x200 else 'OFF'}, cs={register('cs'):#x}")


def stack():
    """Return addresses on the stack, for frames that gdb could not unwind."""
    base, shown = register("rsp") & ~7, 0
    pointer = gdb.lookup_type("unsigned long").pointer()
    for index in range(STACK_WORDS):
        try:
            word = int(gdb.Value(base + 8 * index).cast(pointer).dereference()) & MASK
        except gdb.MemoryError:  # The end of the stack.
            break
        if word < KERNEL_TEXT:
            continue
        name = gdb.execute(f"info symbol {word:#x}", to_string=True).strip()
        if " in section " not in name or ".text" not in name:
            continue
        print(f"  {word:016x} {name.partition(' in section ')[0]}")
        shown += 1
        if shown == STACK_LINES:
            return


def main():
    print("=== symbols")
    attempt("module symbols", load_modules)
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
        thread.switch()
        halted = "halted" in (thread.details or "")
        print(f"=== CPU {thread.num - 1} ({'halted' if halted else 'running'})")
        attempt("registers", registers)
        attempt("backtrace", lambda: print(gdb.execute("bt 25", to_string=True).rstrip()))
        print("  return addresses on the stack:")
        attempt("stack", stack)
        print(flush=True)


main()
