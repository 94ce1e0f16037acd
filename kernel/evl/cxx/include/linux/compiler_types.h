/* SPDX-License-Identifier: GPL-2.0 */
/* Stands in for the kernel's: what uapi headers need of it, in C++. */
#define __user
#define __force
#define __bitwise
