/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for libc's, which libstdc++'s os_defines.h asks for. */
#define __GLIBC_PREREQ(major, minor) 0
