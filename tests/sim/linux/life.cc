// SPDX-License-Identifier: MIT
//
// Tasks begin and end, and signals.

#include <algorithm>
#include <string>

#include "linux/linux.h"

namespace sim {
namespace {

Linux* the_linux;

}  // namespace

Linux::Linux(const LinuxConfig& config) : config_{config} {
  the_linux = this;
  for (unsigned i = 0; i < config_.cpus; ++i)
    cpus_[i].idle = &add_task(("idle/" + std::to_string(i)).c_str(), i, {}, &run_idle);
}

Linux::~Linux() {
  the_linux = nullptr;
}
Linux& Linux::current_linux() noexcept {
  return *the_linux;
}
bool Linux::exists() noexcept {
  return the_linux != nullptr;
}

void Linux::attach(Machine& machine) {
  machine_ = &machine;
  for (const auto& task : tasks_) name(*task);
  for (unsigned i = 0; i < config_.cpus; ++i)
    machine.trace().name(&cpus_[i], "Linux on CPU " + std::to_string(i));
}

void Linux::name(Task& task) {
  machine_->trace().name(&task, task.comm.data());
  machine_->trace().name(&task.flow, task.comm.data());
}

void Linux::start_init(std::function<void()> body) {
  Task& init = add_task("init", 0, std::move(body), &run_init);
  name(init);
  for (unsigned i = 0; i < config_.cpus; ++i) {
    cpus_[i].current = i == 0 ? &init : cpus_[i].idle;
    machine_->start(i, cpus_[i].current->flow);
  }
}

void Linux::run_init(void* task) {
  lx().first_steps();
  static_cast<Task*>(task)->body();
  lx().machine_->finish();
}

void Linux::run_kernel(void* task) {
  lx().first_steps();
  static_cast<Task*>(task)->body();
  lx().exit_current();
}

// exit() is a system call: from the oob stage it goes through the core.
void Linux::run_user(void* task) {
  Linux& self = lx();
  self.first_steps();
  self.exit_to_user();
  static_cast<Task*>(task)->body();
  kapi_request exit_call{};
  exit_call.nr = 60;
  self.request(exit_call);
  self.exit_current();
}

Task& Linux::spawn_process(const char* name, unsigned cpu, std::function<void()> body) {
  Task& task = add_task(name, cpu, std::move(body), &run_user);
  mms_.push_back(std::make_unique<Mm>());
  file_tables_.push_back(std::make_unique<Files>());
  task.mm = mms_.back().get();
  task.files = file_tables_.back().get();
  task.mm->users = task.files->users = 1;
  this->name(task);
  machine_->note("spawns", &task);
  return task;
}

Task& Linux::spawn_thread(const char* name, unsigned cpu, std::function<void()> body) {
  Task& task = add_task(name, cpu, std::move(body), &run_user);
  task.mm = current().mm;
  task.files = current().files;
  ++task.mm->users;
  ++task.files->users;
  this->name(task);
  machine_->note("spawns", &task);
  return task;
}

Task& Linux::spawn_kthread(const char* name, unsigned cpu, std::function<void()> body) {
  Task& task = add_task(name, cpu, std::move(body), &run_kernel);
  this->name(task);
  machine_->note("spawns", &task);
  return task;
}

Task& Linux::fork(const char* name, unsigned cpu, std::function<void()> body) {
  Task& task = spawn_process(name, cpu, std::move(body));
  task.run = Run::sleeping;  // Linux wakes a child up when it is complete.
  // No preemption point before every file has its new reference: Linux copies under the lock of the
  // table, so no other thread's close() releases a file that is in the copy.
  const Files& ours = *current().files;
  *task.files = Files{.table = ours.table, .installed = ours.installed, .users = 1};
  Files& theirs = *task.files;
  for (std::size_t fd = 0; fd < theirs.table.size(); ++fd) {
    if (!theirs.installed[fd]) theirs.table[fd] = nullptr;  // Reserved by a call in progress.
    if (theirs.table[fd] != nullptr) get_file(*theirs.table[fd]);
  }
  for (std::size_t fd = 0; fd < theirs.table.size(); ++fd) {
    if (theirs.table[fd] == nullptr || theirs.table[fd]->oob_data == nullptr) continue;
    const InCore in_core{*this};
    AtomicSection table_lock{*this};
    evl_on_fd_install(reinterpret_cast<kapi_files*>(&theirs), static_cast<unsigned>(fd),
                      handle(theirs.table[fd]));
  }
  task.run = Run::runnable;
  return task;
}

void Linux::exec() {
  Task& self = current();
  may_sleep("exec");
  ++self.in_core;
  if (dovetail_started_) evl_on_task_exit();
  --self.in_core;
  if (self.dovetailed) machine_->fail("%s execs with alternate scheduling on", self.comm.data());
  drop_mm(*self.mm);
  mms_.push_back(std::make_unique<Mm>());
  self.mm = mms_.back().get();
  self.mm->users = 1;
}

bool Linux::processes_alive() const noexcept {
  return std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
    return task->mm != nullptr && task->run != Run::dead;
  });
}

bool Linux::at_rest() const noexcept {
  for (unsigned i = 0; i < config_.cpus; ++i) {
    const Cpu& cpu = machine_->cpu(i);
    if (cpu.irqs_off || cpu.irq_depth != 0 || cpu.pending != 0 || cpu.inband_irq ||
        !cpu.held.empty())
      return false;
    if (static_cast<const Task*>(cpu.running->argument())->in_core != 0) return false;
  }
  return true;
}

bool Linux::preempted_in_core() const noexcept {
  return std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) {
    return task->interrupted || (task->in_core != 0 && task->run == Run::runnable && !task->oob);
  });
}

Task* Linux::find(int pid) noexcept {
  for (const auto& task : tasks_)
    if (task->pid == pid && task->run != Run::dead) return task.get();
  return nullptr;
}

void Linux::exit_current() {
  Task& self = current();
  may_sleep("exit");
  self.exiting = true;
  ++self.in_core;
  if (dovetail_started_) evl_on_task_exit();
  --self.in_core;
  if (self.dovetailed) machine_->fail("%s exits with alternate scheduling on", self.comm.data());
  if (self.mm != nullptr) drop_mm(*self.mm);
  if (self.files != nullptr) drop_files(*self.files);
  self.mm = nullptr;
  self.files = nullptr;
  self.signals = 0;
  self.run = Run::dead;
  wake(&self);
  schedule();
  machine_->fail("%s runs after its exit", self.comm.data());
}

void Linux::drop_mm(Mm& mm) {
  if (--mm.users > 0 || !dovetail_started_) return;
  const InCore in_core{*this};
  evl_on_mm_exit(&mm.state);
}

void Linux::drop_files(Files& files) {
  if (files.users > 1) {
    --files.users;
    return;
  }
  for (std::size_t fd = 0; fd < files.table.size(); ++fd)
    if (files.table[fd] != nullptr && files.installed[fd]) close(static_cast<int>(fd));
  --files.users;
}

// siglock is held while the core is told.
void Linux::send_signal(Task& task, int signo, int value) {
  if (task.run == Run::dead || task.exiting) return;
  machine_->point({.what = "signals", .object = &task, .value = static_cast<unsigned>(signo)});
  if (task.run == Run::dead || task.exiting) return;
  const InCore in_core{*this};
  AtomicSection siglock{*this};
  task.signals |= std::uint64_t{1} << static_cast<unsigned>(signo);
  if (signo == kSigXcpu) task.debug_value = value;
  ++task.senders;
  if (task.dovetailed) evl_on_task_signal(handle(&task));
  --task.senders;
  if (task.run == Run::sleeping && task.interruptible) wake_task(task);
}

// On the way to user mode, in-band.
void Linux::serve_signals() {
  Task& self = current();
  while (self.signals != 0) {
    unsigned signo = 0;
    while (((self.signals >> signo) & 1U) == 0) ++signo;
    self.signals &= self.signals - 1;
    machine_->note("takes signal", nullptr, signo);
    ++self.received[signo];
    if (signo == kSigXcpu && (static_cast<unsigned>(self.debug_value) & 0xffff0000U) == 0xfccf0000U)
      ++self.debug_reasons[static_cast<unsigned>(self.debug_value) & 0xfU];
    if (signo == kSigKill || signo == kSigTerm) {
      for (const auto& other : tasks_)  // The whole process ends.
        if (other->mm == self.mm && other.get() != &self && other->run != Run::dead &&
            !other->exiting)
          send_signal(*other, kSigKill, 0);
      exit_current();
    }
  }
}

std::string Linux::describe() {
  std::string text;
  for (const auto& task : tasks_) {
    if (task->run == Run::dead || task.get() == cpus_[task->cpu].idle) continue;
    static constexpr const char* kRuns[] = {"runnable", "sleeping", "parked", "dead"};
    text +=
        std::string{" "} + task->comm.data() + " is " + kRuns[static_cast<unsigned>(task->run)] +
        (task->oob ? " oob" : "") + " on CPU " + std::to_string(task->cpu) +
        (task->wakes_at_ns != kNever ? ", timer on CPU " + std::to_string(task->timer_cpu) : "") +
        ";";
  }
  return text;
}

}  // namespace sim
