// Idle states for QEMU's processors, which have none of their own: C1 by HLT, C2 by reading an I/O port.
//
// Compiled by scripts/board with -DCPU1 to -DCPU<n> for the processors that are there, up to 8: naming one that
// is not would make the kernel reject the whole table, and iasl does not expand a macro's value in #if.
// QEMU reads no meaning into the port, so C2 does not really halt: what is tested is that the kernel enters
// and leaves it, and (without `arat`) that it hands its timer to the broadcast device.
// One table serves both variants, because `arat` is a processor flag: board --arat on|off.

DefinitionBlock ("", "SSDT", 2, "DOVETL", "CSTATES", 0x00000001)
{
    // Packages as in ACPI 6.5, 8.4.2.1: register, type, worst latency in us, power in mW.
    Name (\CSTP, Package ()
    {
        2,
        Package () { ResourceTemplate () { Register (FFixedHW, 1, 2, 0x0, 1) }, 1, 1, 1000 },
        // Port 0x1880: no device of `pc` or `q35` answers there.
        Package () { ResourceTemplate () { Register (SystemIO, 8, 0, 0x1880, 1) }, 2, 20, 500 }
    })

    External (\_SB.CPUS.C000, DeviceObj)
    Scope (\_SB.CPUS.C000) { Method (_CST) { Return (\CSTP) } }
#ifdef CPU1
    External (\_SB.CPUS.C001, DeviceObj)
    Scope (\_SB.CPUS.C001) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU2
    External (\_SB.CPUS.C002, DeviceObj)
    Scope (\_SB.CPUS.C002) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU3
    External (\_SB.CPUS.C003, DeviceObj)
    Scope (\_SB.CPUS.C003) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU4
    External (\_SB.CPUS.C004, DeviceObj)
    Scope (\_SB.CPUS.C004) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU5
    External (\_SB.CPUS.C005, DeviceObj)
    Scope (\_SB.CPUS.C005) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU6
    External (\_SB.CPUS.C006, DeviceObj)
    Scope (\_SB.CPUS.C006) { Method (_CST) { Return (\CSTP) } }
#endif
#ifdef CPU7
    External (\_SB.CPUS.C007, DeviceObj)
    Scope (\_SB.CPUS.C007) { Method (_CST) { Return (\CSTP) } }
#endif
}
