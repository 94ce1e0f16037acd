// SPDX-License-Identifier: MIT
//
// Linux: as much of the in-band kernel, and of Dovetail, as the core can see. Tasks run as flows of
// the machine; one of them per CPU has the in-band stage, and the core decides when the out-of-band
// stage takes the CPU from it.
//
// L1  PerCpu::current is the task whose flow runs on the CPU in-band, or ran there when the oob
// stage took over. L2  A task whose `oob` is set is never picked by schedule(); the core alone
// continues it (context_switch()). L3  Where a kapi declaration says "sleeps", may_sleep() is
// called: a sleep in a wrong context is a failure. L4  At the end of a run no block, file, device
// or task reference is left (check_leaks()).

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/machine.h"
#include "linux/arena.h"
#include "linux/task.h"

namespace sim {

constexpr int kRestartSys = 512;
constexpr int kSigKill = 9;
constexpr int kSigTerm = 15;
constexpr int kSigXcpu = 24;  // SIGDEBUG

enum Irq : unsigned { kResched = 1, kTimerIpi = 2, kOther = 3 };
enum InbandIrq : unsigned { kIrqWork = 0, kProxyTick = 1 };

struct LinuxConfig {
  unsigned cpus{2};
  unsigned refuse_percent{0};    // Allocations that fail.
  unsigned fault_percent{0};     // Accesses to user memory that fault.
  unsigned preempt_percent{10};  // In-band points at which Linux lets another task run.
  kapi_config core{};
};

class Linux final : public Hooks {
 public:
  explicit Linux(const LinuxConfig& config);
  ~Linux() override;

  static Linux& current_linux() noexcept;
  static bool exists() noexcept;
  /// The machine is made after us: it needs our hooks.
  void attach(Machine& machine);

  Machine& machine() noexcept { return *machine_; }
  const LinuxConfig& config() const noexcept { return config_; }
  LinuxConfig& config() noexcept { return config_; }

  // ---- Tasks (schedule.cc, life.cc)

  /// A user process with an address space and descriptors of its own. Runs `body` in user mode,
  /// then exits.
  Task& spawn_process(const char* name, unsigned cpu, std::function<void()> body);
  /// A thread of the current process.
  Task& spawn_thread(const char* name, unsigned cpu, std::function<void()> body);
  /// A process that inherits the descriptors of the current one, as by fork().
  Task& fork(const char* name, unsigned cpu, std::function<void()> body);
  /// Replaces the address space of the current task.
  void exec();
  Task& spawn_kthread(const char* name, unsigned cpu, std::function<void()> body);
  /// The first task: boots, and ends the run when `body` returns.
  void start_init(std::function<void()> body);

  /// Whose flow runs on this CPU, on whichever stage.
  Task& current() noexcept { return *static_cast<Task*>(machine_->cpu().running->argument()); }
  Task* find(int pid) noexcept;
  /// Whether a task with an address space is alive.
  bool processes_alive() const noexcept;
  /// Waits, in-band, for `task` to be dead.
  void join(Task& task);

  /// In-band tasks get the CPU by the strategy's lot.
  void schedule();
  /// A place where Linux may preempt the current task, if it runs in-band.
  void maybe_preempt();
  void may_sleep(const char* who);
  void sleep_on(const void* channel, bool interruptible, std::uint64_t until_ns = kNever);
  void wake(const void* channel);
  void wake_task(Task& task);
  void migrate(Task& task, unsigned cpu);
  [[noreturn]] void exit_current();

  // ---- Signals and user mode (life.cc, requests.cc)

  void send_signal(Task& task, int signo, int value);
  bool signal_pending() noexcept { return current().signals != 0; }
  /// A request of the core's, or a system call of Linux's, as user mode makes it.
  long request(kapi_request& request);
  /// A system call of Linux's: `body` runs in-band. From the oob stage the core gets to see it
  /// first.
  long call(long nr, const std::function<long()>& body);
  /// One step of user code; maydays, signals and return-to-user requests are served.
  void user_point(const char* what, const void* object = nullptr, Access access = Access::write);
  void exit_to_user();
  /// Before an access to user memory. False when it cannot be accessed.
  bool touch_user(const void* address, std::size_t bytes);

  // ---- Alternate scheduling (dovetail.cc)

  void start_dovetail() noexcept { dovetail_started_ = true; }
  void stop_dovetail() noexcept { dovetail_started_ = false; }
  int leave_inband();
  bool context_switch(kapi_altsched* out, kapi_altsched* in, bool leave_inband);
  void resume_inband();
  /// The core says that its watchdog strikes here: no earlier than it may.
  void watchdog_strikes(std::uint64_t limit_s);
  int run_oob_call(int (*function)(void*), void* argument);

  // ---- Deferred work and waiting (deferred.cc)

  bool queue_irq_work(kapi_irq_work* work);
  void sync_irq_work(kapi_irq_work* work);
  kapi_workqueue* create_workqueue(const char* name, unsigned at_once);
  void destroy_workqueue(kapi_workqueue* queue);
  bool queue_work(kapi_workqueue* queue, kapi_work* work);
  void flush_work(kapi_work* work);

  // ---- Time (clock.cc)

  int install_tick();
  void uninstall_tick();
  bool tick_installed() const noexcept { return tick_installed_; }
  /// Sleeps in-band; what programs Linux's own tick device, thus the proxy.
  void sleep_inband(std::uint64_t for_ns);
  void set_realtime_offset(std::int64_t offset_ns) noexcept { realtime_offset_ns_ = offset_ns; }
  std::int64_t realtime_offset_ns() const noexcept { return realtime_offset_ns_; }

  // ---- Files and devices (file.cc, device.cc)

  int open(const std::string& path, unsigned flags);
  int close(int fd);
  int reserve_fd(File& file);
  void install_fd(int fd);
  void free_fd(int fd);
  File* file_at(int fd);
  void get_file(File& file) { ++file.references; }
  void put_file(File& file);
  File& make_file(const char* name, const kapi_file_ops* ops, void* object, unsigned flags);
  long ioctl(int fd, unsigned cmd, void* argument);
  long read(int fd, void* buffer, std::size_t bytes);
  long write(int fd, const void* buffer, std::size_t bytes);
  unsigned poll(int fd);
  /// Opens a file of no device, for whom the kernel itself reads and writes.
  int open_plain(const char* name, std::string content);
  int dup(int fd);

  Device* find_device(const std::string& path);
  DeviceClass& add_class(const char* name, unsigned minors);
  void remove_class(DeviceClass* device_class);
  Device* add_device(const kapi_device_setup& setup);
  void remove_device(Device* device);
  long read_attribute(const std::string& path, const char* attribute, char* buf,
                      std::size_t capacity);
  long write_attribute(const std::string& path, const char* attribute, const char* text);

  // ---- Memory (memory.cc)

  void* allocate(std::size_t bytes);
  void release(void* block);
  /// Maps by file, as an mmap handler sees it.
  int mmap(int fd, std::size_t bytes, void** address);

  /// A line of the kernel's log.
  void print(int severity, const char* text);
  bool printed(const char* part) const noexcept { return log_.find(part) != std::string::npos; }

  /// Blocks of kernel memory in use.
  std::size_t blocks() const noexcept { return arena_.used_blocks(); }
  /// Files and task references that ended processes have left behind. The text lives until the next
  /// call.
  const std::string& process_leaks();
  /// What is left; empty when nothing is.
  std::string leaks();

  // ---- Hooks

  void irq(unsigned number) override;
  void irq_exit(bool was_oob) override;
  void inband_irq(unsigned number) override;
  void inband_irq_exit() override;
  bool has_work(const Cpu& cpu) override;
  void check() override {
    if (checker) checker();
  }
  std::string describe() override;

  /// Whether the core is at rest: no CPU is inside it, none has an interrupt to take. What only
  /// holds between two requests can be checked then.
  bool at_rest() const noexcept;
  /// Whether a task has been preempted inside the core, on either stage: it may be in the middle of
  /// something.
  bool preempted_in_core() const noexcept;

  /// Compares the core's objects with what must hold; set by whoever knows them.
  std::function<void()> checker;
  /// The core switches tasks on this CPU, from an out-of-band one to another.
  std::function<void(Task& from, Task& to)> on_switch;

 private:
  struct PerCpu {
    Task* current{nullptr};
    Task* previous{nullptr};  // Whom schedule() has just left.
    Task* idle{nullptr};
    std::vector<kapi_irq_work*> works;
    kapi_irq_work* running_work{nullptr};
    std::uint64_t oob_since_ns{0};  // When the CPU last came to the oob stage from in-band.
  };
  // A work is run by one worker at a time, as Linux does it.
  struct Workqueue {
    std::vector<Task*> workers;
    std::vector<kapi_work*> works;
    std::vector<kapi_work*> running;
    bool ends{false};

    [[nodiscard]] bool runs(const kapi_work* work) const;
    [[nodiscard]] bool has(const kapi_work* work) const;
    [[nodiscard]] kapi_work* next();  // Out of the queue; nullptr: none that can run now.
  };

  Task& add_task(const char* name, unsigned cpu, std::function<void()> body, Flow::Body entry);
  static void run_user(void* task);
  static void run_kernel(void* task);
  static void run_init(void* task);
  static void run_idle(void* task);
  void name(Task& task);
  void first_steps();
  void finish_switch();
  bool runs(const Task& task) const noexcept;
  bool can_run(const Task& task, unsigned cpu) const noexcept;
  Task& pick_next(unsigned cpu);
  bool lets_preempt();
  void drop_mm(Mm& mm);
  void drop_files(Files& files);
  void serve_signals();
  void play_irq_work();
  void play_proxy_tick();
  void program_proxy();
  std::uint64_t next_sleeper_ns(unsigned cpu) const noexcept;
  long serve(kapi_request& request, const std::function<long()>* body);
  void fault_in(const void* address, bool from_user);
  void work_loop(Workqueue& queue);
  PerCpu& here() noexcept { return cpus_[machine_->cpu().number]; }

  LinuxConfig config_;
  Machine* machine_{nullptr};
  std::array<PerCpu, kMaxCpus> cpus_{};
  std::vector<std::unique_ptr<Task>> tasks_;
  std::vector<std::unique_ptr<Mm>> mms_;
  std::vector<std::unique_ptr<Files>> file_tables_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::unique_ptr<DeviceClass>> classes_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Workqueue>> workqueues_;
  Arena arena_;
  std::string log_;
  std::string leaks_;
  std::int64_t realtime_offset_ns_{1'600'000'000'000'000'000};
  int next_pid_{1};
  bool tick_installed_{false};
  bool dovetail_started_{false};
};

/// The current task is inside a handler of the core's.
class InCore final {
 public:
  explicit InCore(Linux& linux_model) : task_{linux_model.current()} { ++task_.in_core; }
  ~InCore() { --task_.in_core; }
  InCore(const InCore&) = delete;
  InCore& operator=(const InCore&) = delete;

 private:
  Task& task_;
};

/// A section in which the current task may not sleep, and in-band interrupts are off: a spinlock of
/// Linux's is held.
class AtomicSection final {
 public:
  explicit AtomicSection(Linux& linux_model)
      : machine_{linux_model.machine()},
        task_{linux_model.current()},
        was_stalled_{machine_.cpu().stalled} {
    machine_.cpu().stalled = true;
    ++task_.atomic;
  }
  ~AtomicSection() {
    --task_.atomic;
    machine_.cpu().stalled = was_stalled_;
  }
  AtomicSection(const AtomicSection&) = delete;
  AtomicSection& operator=(const AtomicSection&) = delete;

 private:
  Machine& machine_;
  Task& task_;
  bool was_stalled_;
};

inline Linux& lx() noexcept {
  return Linux::current_linux();
}

}  // namespace sim
