// SPDX-License-Identifier: GPL-2.0
/*
 * Raw output: straight to the console, by polling, from any context. The text
 * may overtake what printk() has in its buffer, it never comes later.
 */
#include <linux/console.h>
#include <linux/irq_pipeline.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/spinlock.h>

#include "internal.h"

static DEFINE_HARD_SPINLOCK(raw_lock);
static struct console *raw_console;

/* The first console that can do this is it, for good. */
void raw_printk_register(struct console *con)
{
	if (con->write_raw && !raw_console)
		WRITE_ONCE(raw_console, con);
}

/**
 * raw_puts - write a string to the raw console
 * @s:		text
 * @len:	its length in bytes
 *
 * Context: any stage, any interrupt state but NMI. Polls with hard irqs off:
 * as long as it takes to send the text.
 */
void raw_puts(const char *s, size_t len)
{
	struct console *con = READ_ONCE(raw_console);
	unsigned long flags;

	if (!con)
		return;

	raw_spin_lock_irqsave(&raw_lock, flags);
	con->write_raw(con, s, len);
	raw_spin_unlock_irqrestore(&raw_lock, flags);
}
EXPORT_SYMBOL_GPL(raw_puts);

/**
 * raw_printk - write a message to the raw console
 * @fmt:	format, as for printk() without a level
 *
 * The message is cut at 255 characters. Context: as raw_puts().
 */
void raw_printk(const char *fmt, ...)
{
	char buf[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);

	raw_puts(buf, len);
}
EXPORT_SYMBOL_GPL(raw_printk);
