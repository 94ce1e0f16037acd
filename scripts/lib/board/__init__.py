"""The parts of scripts/board: one module per concept.

    options  the command line, as a dataclass
    elf      which shared libraries a program needs
    image    the initramfs, byte for byte the same for the same input
    machine  the QEMU command line and the KVM probe
    monitor  QMP and gdb: what is asked of a running machine
    report   which console lines are a kernel report
    run      one boot, from start to verdict
    cli      messages and exit statuses
"""
