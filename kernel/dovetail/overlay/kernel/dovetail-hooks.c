// SPDX-License-Identifier: GPL-2.0
/*
 * Defaults of the hooks that a companion core defines: nobody is there. In a
 * file of their own, so that no caller can have them inlined.
 */
#include <linux/dovetail.h>

/*
 * resume_oob_task - @p is off the in-band stage, the core may run it
 *
 * Context: in-band, tail of a task switch: stalled, hard irqs off, oob stage
 * stalled. The core may switch to @p at once.
 */
void __weak resume_oob_task(struct task_struct *p)
{
}

/*
 * handle_oob_syscall - call for the core by a task on the oob stage
 *
 * Context: oob stage, hard irqs on. The result goes to @regs.
 *
 * Return: non-zero if handled.
 */
int __weak handle_oob_syscall(struct pt_regs *regs)
{
	return 0;
}

/*
 * handle_pipelined_syscall - any other call that may concern the core
 *
 * Called from the oob stage first, then in-band if it was not handled and the
 * caller is in-band by then. @stage is where the caller came from.
 *
 * Context: hard irqs on, current stage unstalled.
 *
 * Return: non-zero if handled.
 */
int __weak handle_pipelined_syscall(struct irq_stage *stage,
				    struct pt_regs *regs)
{
	return 0;
}

/*
 * handle_oob_trap_entry - a task on the oob stage took a trap
 *
 * The core moves it in-band before it returns.
 *
 * Context: oob stage, hard irqs off.
 */
void __weak handle_oob_trap_entry(unsigned int trapnr, struct pt_regs *regs)
{
}

/*
 * handle_oob_trap_exit - the trap was dealt with
 *
 * The core may move the task back.
 *
 * Context: in-band, unstalled, hard irqs off, and off again on return.
 */
void __weak handle_oob_trap_exit(unsigned int trapnr, struct pt_regs *regs)
{
}

/*
 * handle_oob_mayday - dovetail_send_mayday() was called for current
 *
 * Context: oob stage, about to return to user mode, hard irqs off. If the
 * task is out-of-band still when this returns, they are off again.
 */
void __weak handle_oob_mayday(struct pt_regs *regs)
{
}

/* handle_inband_event - see inband_event_notify() for the context */
void __weak handle_inband_event(enum inband_event_type event, void *data)
{
}

/* inband_clock_was_set - the wall clock was stepped. In-band. */
void __weak inband_clock_was_set(void)
{
}

/*
 * Descriptors of a process. In-band; files->file_lock is held, save that
 * uninstall is called without it when the last user of the table is gone. The
 * process may be another than that of current.
 */
void __weak install_inband_fd(unsigned int fd, struct file *file,
			      struct files_struct *files)
{
}

void __weak uninstall_inband_fd(unsigned int fd, struct file *file,
				struct files_struct *files)
{
}

void __weak replace_inband_fd(unsigned int fd, struct file *file,
			      struct files_struct *files)
{
}

/* arch_inband_task_init - a child is born; its oob_state is zero. In-band. */
void __weak arch_inband_task_init(struct task_struct *p)
{
}
