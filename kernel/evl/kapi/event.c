// SPDX-License-Identifier: GPL-2.0
/*
 * What Dovetail tells the core about tasks: events, faults, the way back to user mode, descriptors.
 */
#include <linux/dovetail.h>
#include <linux/fs.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include <asm/trapnr.h>

#include "kapi/internal.h"

/*
 * Context: in-band, hard irqs on. SIGNAL, MIGRATION and PTSTEP come with locks of Linux held.
 */
void handle_inband_event(enum inband_event_type event, void *data)
{
	struct dovetail_migration_data *move = data;
	struct mm_struct *mm = data;

	switch (event) {
	case INBAND_TASK_SIGNAL:
		evl_on_task_signal(data);
		break;
	case INBAND_TASK_MIGRATION:
		evl_on_task_migration((struct kapi_task *)move->task, move->dest_cpu);
		break;
	case INBAND_TASK_EXIT:
		evl_on_task_exit();
		break;
	case INBAND_TASK_RETUSER:
		evl_on_retuser();
		break;
	case INBAND_TASK_PTSTEP:
		evl_on_ptrace_step(data);
		break;
	case INBAND_TASK_PTSTOP:
		evl_on_ptrace_stop();
		break;
	case INBAND_TASK_PTCONT:
		evl_on_ptrace_continue();
		break;
	case INBAND_PROCESS_CLEANUP:
		evl_on_mm_exit((struct kapi_mm_state *)&mm->oob_state);
		break;
	}
}

/* Context: in-band, tail of a task switch: stalled, hard irqs off, oob stage stalled. */
void resume_oob_task(struct task_struct *task)
{
	evl_on_resume_task((struct kapi_task *)task);
}

static struct kapi_trap describe_trap(unsigned int trapnr, struct pt_regs *regs)
{
	return (struct kapi_trap){
		.nr = trapnr,
		.from_user = user_mode(regs),
		.debugger = current->ptrace & PT_PTRACED &&
			(trapnr == X86_TRAP_DB || trapnr == X86_TRAP_BP),
		.pc = instruction_pointer(regs),
	};
}

/* Context: oob, hard irqs off; in-band, hard irqs off on return. */
void handle_oob_trap_entry(unsigned int trapnr, struct pt_regs *regs)
{
	struct kapi_trap trap = describe_trap(trapnr, regs);

	evl_on_trap_entry(&trap);
	hard_local_irq_disable();
}

/*
 * Context: in-band, unstalled, hard irqs off, which is how the core expects it; the stage that the
 * core found possible, hard irqs off, on return.
 */
void handle_oob_trap_exit(unsigned int trapnr, struct pt_regs *regs)
{
	struct kapi_trap trap = describe_trap(trapnr, regs);

	evl_on_trap_exit(&trap);
	hard_local_irq_disable();
}

/* Context: oob, about to return to user mode, hard irqs off, also on return on any stage. */
void handle_oob_mayday(struct pt_regs *regs)
{
	evl_on_mayday();
	hard_local_irq_disable();
}

/*
 * Descriptors: in-band, must not sleep; of another process, perhaps. Dovetail reports files with
 * oob data only, but replace is also called when only the old one has some.
 */
void install_inband_fd(unsigned int fd, struct file *file, struct files_struct *files)
{
	evl_on_fd_install((const struct kapi_files *)files, fd, (struct kapi_file *)file);
}

void uninstall_inband_fd(unsigned int fd, struct file *file, struct files_struct *files)
{
	evl_on_fd_uninstall((const struct kapi_files *)files, fd, (struct kapi_file *)file);
}

void replace_inband_fd(unsigned int fd, struct file *file, struct files_struct *files)
{
	if (file->oob_data)
		install_inband_fd(fd, file, files);
	else
		uninstall_inband_fd(fd, file, files);
}
