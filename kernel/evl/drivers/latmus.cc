// SPDX-License-Identifier: GPL-2.0
// /dev/latmus: answers to a periodic timer, by its handler, by a kernel thread, by a thread of user
// space, or by an in-band interrupt; and how late they are. One run per open file.
//
// The user sets a run up in-band (MEASURE or TUNE), then a thread of his sleeps in RUN until the
// run ends: TUNE by itself, MEASURE when that thread gets a signal. For user answers another thread
// calls PULSE over and over: with the date of its last answer, until the next shot.
//
// A MEASURE ends by that: RUN has succeeded, and has written the results. A TUNE that is broken
// fails with EINTR, and the gravity is what it was.
#include "drivers/latmus_stats.h"

#include "base/in_place.h"
#include "base/user_ptr.h"
#include "boot/core.h"
#include "device/xbuf.h"
#include "drivers/drivers.h"
#include "thread/thread_element.h"

namespace evl {

namespace {

constexpr u32 kMaxCells = 1'000;
constexpr u32 kDefaultCell_ns = 1'000;
constexpr u32 kMaxCell_ns = 1'000'000;
constexpr s64 kTuneStep_ns = kNsPerSecond / 2;

// Invariants, whenever lock_ is free:
//   LR1  active_ is set exactly while a measurement or a step of tuning is going on; samples that
//        come at other times are dropped.
//   LR2  expecting_: a shot was announced, its answer did not come yet.
//   LR3  output_ is non-null only while a thread is inside of run(), which holds a reference.
//
// Lock order: lock_ (rank monitor) is held over Xbuf::push_inbound(), not over flags.
class LatmusRun final : Immovable {
 public:
  enum class Goal : u8 { measure, tune };
  LatmusRun(const latmus_setup& setup, Goal goal, std::span<s32> cells) noexcept;

  // Starts the kernel thread, if that is what answers. Sleeps. Errors: of KernelThread::run().
  [[nodiscard]] Status start(const InbandStage& inband) noexcept;
  // No handler runs and no thread is inside on return, nor will be. Sleeps.
  void stop(const InbandStage& inband) noexcept;
  // Breaks what sleeps in run() and pulse(), for good.
  void flush() noexcept;

  [[nodiscard]] Status run(const OobStage& oob, Thread& self,
                           UserPtr<latmus_result> result) noexcept;
  [[nodiscard]] Status pulse(const OobStage& oob, Thread& self, UserPtr<u64> answer) noexcept;
  [[nodiscard]] s32* cells() const noexcept { return cells_.data(); }
  [[nodiscard]] static Gravity gravity_kind(u32 type) noexcept;

 private:
  static LatencyMeter::Setup meter_setup(const latmus_setup& setup, Goal goal,
                                         std::span<s32> cells) noexcept;
  static void on_shot(Timer& timer, const HardIrqsOff& irqs_off) noexcept;
  static void on_inband(kapi_irq_work* work) noexcept;
  static void kernel_body(const OobStage& oob, void* argument) noexcept;

  void shot(const HardIrqsOff& irqs_off) noexcept;
  // True: the step of tuning is over, wake the thread in run().
  [[nodiscard]] bool answer(Date when) noexcept EVL_REQUIRES(lock_);
  void answer_now(const HardIrqsOff& irqs_off) noexcept;
  [[nodiscard]] Status measure(const OobStage& oob, Thread& self,
                               const latmus_result& result) noexcept;
  [[nodiscard]] Status tune(const OobStage& oob, Thread& self,
                            const latmus_result& result) noexcept;
  [[nodiscard]] Status go(const OobStage& oob, Thread& self, Xbuf* output) noexcept;
  void apply(s32 gravity_ns) noexcept;

  HardSpinLock<LockRank::monitor> lock_;
  LatencyMeter meter_ EVL_GUARDED_BY(lock_);
  bool active_ EVL_GUARDED_BY(lock_){false};
  bool expecting_ EVL_GUARDED_BY(lock_){false};
  bool running_ EVL_GUARDED_BY(lock_){false};
  Date handler_date_ EVL_GUARDED_BY(lock_){};
  Xbuf* output_ EVL_GUARDED_BY(lock_){nullptr};

  const latmus_setup setup_;
  const Goal goal_;
  const std::span<s32> cells_;
  Clock& clock_;
  Timer timer_;
  Flag shot_flag_{"latmus-shot"};
  Flag done_flag_{"latmus-done"};
  kapi_irq_work inband_{};
  KernelThread responder_;
};

LatencyMeter::Setup LatmusRun::meter_setup(const latmus_setup& setup, Goal goal,
                                           std::span<s32> cells) noexcept {
  const auto period_ns = static_cast<s64>(setup.period);
  const auto per = [&](s64 span_ns) {
    return span_ns <= period_ns ? u32{1} : static_cast<u32>(span_ns / period_ns);
  };
  if (goal == Goal::tune)
    return {.period = Duration::ns(period_ns), .window = per(kTuneStep_ns), .skipped = 0};
  return {.period = Duration::ns(period_ns),
          .window = per(kNsPerSecond),
          .skipped = per(kNsPerSecond),
          .cells = cells,
          .cell_ns = setup.cell_ns != 0 ? setup.cell_ns : kDefaultCell_ns};
}

Gravity LatmusRun::gravity_kind(u32 type) noexcept {
  if (type == EVL_LAT_USER) return Gravity::user;
  return type == EVL_LAT_KERN ? Gravity::kernel : Gravity::irq;
}

LatmusRun::LatmusRun(const latmus_setup& setup, Goal goal, std::span<s32> cells) noexcept
    : meter_{meter_setup(setup, goal, cells)},
      setup_{setup},
      goal_{goal},
      cells_{cells},
      clock_{core().monotonic()},
      timer_{clock_, core().timer_bases().on(setup.cpu), gravity_kind(setup.type), on_shot,
             "latmus"} {
  kapi_irq_work_init(&inband_, on_inband);
}

Status LatmusRun::start(const InbandStage& inband) noexcept {
  if (setup_.type != EVL_LAT_KERN) return kOk;
  char name[32];
  kapi_format(name, sizeof(name), "latmus-klat:%d", kapi_task_pid(kapi_current()));
  return responder_.run(kernel_body, this, setup_.cpu, setup_.priority, name, inband);
}

void LatmusRun::flush() noexcept {
  shot_flag_.flush(ThreadInfo::rmid);
  done_flag_.flush(ThreadInfo::rmid);
}

void LatmusRun::stop(const InbandStage& inband) noexcept {
  timer_.destroy(inband);  // Waits for the handler.
  if (responder_.thread() != nullptr) responder_.stop(inband);
  kapi_irq_work_sync(&inband_);
}

bool LatmusRun::answer(Date when) noexcept {
  if (!active_) return false;
  const LatencyMeter::Event event = meter_.add(when);
  using Event = LatencyMeter::Event;
  if (event == Event::peak || event == Event::window_peak) {
    kapi_trace_latspot(meter_.peak());
    kapi_trace(KAPI_EV_trigger, "latmus", meter_.peak(), 0);
  }
  if (event != Event::window && event != Event::window_peak) return false;
  if (goal_ == Goal::tune) {
    active_ = false;
    return true;
  }
  // A reader who cannot follow misses records; the last one and the histogram are complete.
  if (output_ != nullptr)
    (void)output_->push_inbound(std::as_bytes(std::span{&meter_.window(), 1}));
  meter_.next_window();
  return false;
}

void LatmusRun::answer_now(const HardIrqsOff& irqs_off) noexcept {
  bool over = false;
  {
    HardLockGuard guard{lock_, irqs_off};
    over = answer(clock_.now());
  }
  if (over) done_flag_.raise();
}

// The timer's handler. Stage: oob, hard irqs off; threads that it wakes run at the interrupt's end.
void LatmusRun::shot(const HardIrqsOff& irqs_off) noexcept {
  switch (setup_.type) {
    case EVL_LAT_IRQ:
      answer_now(irqs_off);
      break;
    case EVL_LAT_SIRQ: {
      {
        HardLockGuard guard{lock_, irqs_off};
        // One that is still on its way answers this one too: it was due since the first.
        if (!expecting_) handler_date_ = clock_.now();
        expecting_ = true;
      }
      kapi_irq_work_queue(&inband_);
      break;
    }
    default: {
      {
        HardLockGuard guard{lock_, irqs_off};
        expecting_ = true;
      }
      shot_flag_.raise_nosched();  // The end of the interrupt is the scheduling point.
    }
  }
}

void LatmusRun::on_shot(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  owner_of<LatmusRun, &LatmusRun::timer_>(timer).shot(irqs_off);
}

// In-band, in hard-irq context. The lateness of the handler that posted this is none of in-band's.
void LatmusRun::on_inband(kapi_irq_work* work) noexcept {
  LatmusRun& self = owner_of<LatmusRun, &LatmusRun::inband_>(*work);
  bool over = false;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{self.lock_, irqs_off};
    const Date now = self.clock_.now();
    if (std::exchange(self.expecting_, false))
      over = self.answer(now - (self.handler_date_ - self.meter_.ideal()));
  }
  if (over) self.done_flag_.raise();
}

void LatmusRun::kernel_body(const OobStage& oob, void* argument) noexcept {
  auto& self = *static_cast<LatmusRun*>(argument);
  Thread& thread = *current_thread();
  while (!KernelThread::should_stop()) {
    const Status status = self.shot_flag_.wait(oob, thread, Deadline::never());
    if (status.is(Errno::idrm)) return;
    if (!status.ok()) continue;  // Broken: asked to stop, most likely.
    HardIrqGuard irqs_off;
    self.answer_now(irqs_off);
  }
}

Status LatmusRun::pulse(const OobStage& oob, Thread& self, UserPtr<u64> answered) noexcept {
  if (setup_.type != EVL_LAT_USER) return Errno::inval;
  const u64 when_ns = EVL_TRY(answered.read(oob));
  bool over = false;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    if (std::exchange(expecting_, false) && when_ns != 0)
      over = answer(Date::from_ns(static_cast<s64>(when_ns)));
  }
  if (over) done_flag_.raise();
  self.set_local(LocalInfo::norst);  // The date was taken: it is no answer to a later shot.
  return shot_flag_.wait(oob, self, Deadline::never());
}

// From the first shot until the step is over (tuning), or the caller gets a signal.
Status LatmusRun::go(const OobStage& oob, Thread& self, Xbuf* output) noexcept {
  const Duration period = Duration::ns(static_cast<s64>(setup_.period));
  const Date first = clock_.now() + period;
  self.set_local(LocalInfo::norst);  // Broken by a signal, it is over, not to begin again.
  done_flag_.clear();
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    meter_.start(first, clock_.gravity(gravity_kind(setup_.type)));
    output_ = output;
    expecting_ = false;
    active_ = true;
  }
  timer_.start(first, period);
  const Status status = done_flag_.wait(oob, self, Deadline::never());
  timer_.stop();
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    active_ = false;
    output_ = nullptr;
  }
  return status;
}

Status LatmusRun::measure(const OobStage& oob, Thread& self, const latmus_result& result) noexcept {
  using Results = latmus_measurement_result;
  if (result.len != sizeof(Results)) return Errno::inval;
  const Results results = EVL_TRY(UserPtr<Results>::from(result.data_ptr).read(oob));
  const FileRef file{core().files().get(setup_.u.measure.xfd)};
  if (!file) return Errno::badf;
  Xbuf* const output = xbuf_of(file);
  if (output == nullptr) return Errno::inval;

  const Status status = go(oob, self, output);

  // Nobody adds samples any more (LR1).
  latmus_measurement last{};
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    last = meter_.window();
  }
  if (last.samples == 0) last.min_lat = last.max_lat = 0;
  (void)EVL_TRY(UserPtr<latmus_measurement>::from(results.last_ptr).write(last));
  if (results.histogram_ptr != 0) {
    const size_t bytes = results.len < cells_.size_bytes() ? results.len : cells_.size_bytes();
    const UserBytes to{static_cast<unsigned long>(results.histogram_ptr)};
    (void)EVL_TRY(to.write(cells_.data(), bytes));
  }
  return status.is(Errno::intr) ? kOk : status;
}

void LatmusRun::apply(s32 gravity_ns) noexcept {
  GravitySet gravities = clock_.gravities();
  const Duration gravity = Duration::ns(gravity_ns);
  switch (gravity_kind(setup_.type)) {
    case Gravity::irq:
      gravities.irq = gravity;
      break;
    case Gravity::kernel:
      gravities.kernel = gravity;
      break;
    case Gravity::user:
      gravities.user = gravity;
  }
  (void)clock_.set_gravities(gravities);  // In range: below a period of samples, at most 1 s.
}

Status LatmusRun::tune(const OobStage& oob, Thread& self, const latmus_result& result) noexcept {
  if (result.len != sizeof(s32)) return Errno::inval;
  const GravitySet former = clock_.gravities();
  GravityTuner tuner;
  for (bool again = true; again;) {  // At most kWarmUpSteps + kSteps rounds.
    apply(tuner.gravity_ns());
    Status status = go(oob, self, nullptr);
    if (status.ok()) {
      s32 mean{};
      s32 deviation{};
      s32 min{};
      {
        HardIrqGuard irqs_off;
        HardLockGuard guard{lock_, irqs_off};
        mean = meter_.mean();
        deviation = meter_.deviation();
        min = meter_.window().min_lat;
      }
      if (setup_.u.tune.verbosity >= 2)
        kapi_print(KAPI_INFO, "latmus: gravity %d ns: mean %d, deviation %d, least %d",
                   tuner.gravity_ns(), mean, deviation, min);
      const auto next = tuner.take(mean, deviation, min);
      if (next.ok())
        again = next.value();
      else
        status = next.error();
    }
    if (!status.ok()) {
      (void)clock_.set_gravities(former);
      return status;
    }
  }
  apply(tuner.best_ns());
  return UserPtr<s32>::from(result.data_ptr).write(tuner.best_ns());
}

Status LatmusRun::run(const OobStage& oob, Thread& self, UserPtr<latmus_result> where) noexcept {
  const latmus_result result = EVL_TRY(where.read(oob));
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{lock_, irqs_off};
    if (std::exchange(running_, true)) return Errno::busy;
  }
  const Status status = goal_ == Goal::tune ? tune(oob, self, result) : measure(oob, self, result);
  HardIrqGuard irqs_off;
  HardLockGuard guard{lock_, irqs_off};
  running_ = false;
  return status;
}

// ---- The device ----

// An open /dev/latmus. run_ is set once, in-band, and constant from then on.
struct LatmusFile final : Immovable {
  explicit LatmusFile(kapi_file* file) noexcept : oob_file{file} {}
  OobFile oob_file;
  InbandMutex mutex;
  Atomic<LatmusRun*> run{nullptr};
};

LatmusFile& file_of(void* object) noexcept {
  return *static_cast<LatmusFile*>(object);
}

Status set_up(LatmusFile& file, LatmusRun::Goal goal, UserPtr<latmus_setup> where,
              const InbandStage& inband) noexcept {
  const latmus_setup setup = EVL_TRY(where.read());
  const bool tune = goal == LatmusRun::Goal::tune;
  const bool thread = setup.type == EVL_LAT_KERN || setup.type == EVL_LAT_USER;
  if (setup.type > EVL_LAT_SIRQ || setup.period == 0 || setup.period > kNsPerSecond)
    return Errno::inval;
  if (thread && (setup.priority < 1 || setup.priority > 98)) return Errno::inval;
  const Duration shortest = core().monotonic().shortest_period(LatmusRun::gravity_kind(setup.type));
  if (Duration::ns(static_cast<s64>(setup.period)) < shortest) return Errno::inval;
  if (!core().oob_cpus().has(setup.cpu)) return Errno::inval;
  if (tune && setup.type == EVL_LAT_SIRQ) return Errno::inval;
  const u32 nr_cells = tune ? 0 : setup.u.measure.hcells;
  if (nr_cells > kMaxCells || setup.cell_ns > (tune ? 0 : kMaxCell_ns)) return Errno::inval;

  InbandLockGuard guard{file.mutex, inband};
  if (file.run.load_relaxed() != nullptr) return Errno::busy;
  s32* cells = nullptr;
  if (nr_cells != 0) {
    cells = static_cast<s32*>(kapi_alloc(nr_cells * sizeof(s32)));
    if (cells == nullptr) return Errno::nomem;
  }
  auto* const run = create<LatmusRun>(inband, setup, goal, std::span<s32>{cells, nr_cells});
  const Status status = run == nullptr ? Status{Errno::nomem} : run->start(inband);
  if (!status.ok()) {
    if (run != nullptr) run->stop(inband);
    discard(inband, run);
    kapi_free(cells);
    return status;
  }
  file.run.store_release(run);  // Pairs with the acquire in latmus_oob_ioctl().
  return kOk;
}

int latmus_open(void*, kapi_file* file, void** object) {
  const InbandStage inband = InbandStage::at_entry();
  if (!core().running()) return -ENXIO;
  auto* const latmus = create<LatmusFile>(inband, file);
  if (latmus == nullptr) return -ENOMEM;
  *object = latmus;
  return 0;
}

void latmus_release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  LatmusFile& file = file_of(object);
  LatmusRun* const run = file.run.load_relaxed();
  file.oob_file.begin_release();
  if (run != nullptr) run->flush();
  file.oob_file.release(inband);
  if (run != nullptr) {
    run->stop(inband);
    s32* const cells = run->cells();
    discard(inband, run);
    kapi_free(cells);
  }
  discard(inband, &file);
}

long latmus_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  const InbandStage inband = InbandStage::at_entry();
  const UserPtr<latmus_setup> setup{arg};
  switch (cmd) {
    case EVL_LATIOC_RESET:
      core().monotonic().reset_gravities();
      return 0;
    case EVL_LATIOC_TUNE:
      return code_of(set_up(file_of(object), LatmusRun::Goal::tune, setup, inband));
    case EVL_LATIOC_MEASURE:
      return code_of(set_up(file_of(object), LatmusRun::Goal::measure, setup, inband));
    default:
      return -ENOTTY;
  }
}

long latmus_oob_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  const OobStage oob = OobStage::at_entry();
  if (cmd == EVL_LATIOC_RESET) {
    core().monotonic().reset_gravities();
    return 0;
  }
  if (cmd != EVL_LATIOC_RUN && cmd != EVL_LATIOC_PULSE) return -ENOTTY;
  LatmusRun* const run = file_of(object).run.load_acquire();
  if (run == nullptr) return -EINVAL;
  Thread& self = *current_thread();
  if (cmd == EVL_LATIOC_RUN) return code_of(run->run(oob, self, UserPtr<latmus_result>{arg}));
  return code_of(run->pulse(oob, self, UserPtr<u64>{arg}));
}

constexpr kapi_file_ops kLatmusOps = {
    .open = latmus_open,
    .release = latmus_release,
    .ioctl = latmus_ioctl,
    .oob_ioctl = latmus_oob_ioctl,
};

}  // namespace

Status start_latmus(const InbandStage& inband) noexcept {
  return add_driver("latmus", kLatmusOps, inband);
}

}  // namespace evl
