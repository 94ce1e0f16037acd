// SPDX-License-Identifier: MIT
// latmus: how late is a timer answered, by whom, and under which load?

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>

#include "common/files.h"
#include "common/system.h"
#include "common/text.h"
#include "latmus/control.h"
#include "latmus/options.h"
#include "latmus/plots.h"
#include "latmus/runs.h"

namespace {

using namespace utils;
using namespace utils::latmus;

constexpr int kOverLimit = 102;
constexpr int kInconsistent = 103;

// Idle states that take long to leave: the kernel keeps out of them while the file is open.
int restrict_c_states() {
  const int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const int32_t most_us = 0;
  if (write(fd, &most_us, sizeof(most_us)) == sizeof(most_us)) return fd;
  close(fd);
  return -1;
}

std::optional<CpuChoice> pin(const System& system, const Options& options, Context context) {
  const CpuOffer offer{.online = system.online_cpus(),
                       .oob = system.oob_cpus(),
                       .isolated = system.isolated_cpus(),
                       .current = sched_getcpu()};
  const auto choice = choose_cpu(context, options.cpu, options.force_cpu, offer);
  if (!choice) {
    fprintf(stderr, "latmus: CPU%d is not online\n", options.cpu.value_or(-1));
    return std::nullopt;
  }
  if (!choice->note.empty()) fprintf(stderr, "latmus: %s\n", choice->note.c_str());
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(static_cast<size_t>(choice->cpu), &cpus);
  if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0) {
    fprintf(stderr, "latmus: cannot run on CPU%d: %m\n", choice->cpu);
    return std::nullopt;
  }
  return choice;
}

class Program final {
 public:
  Program(const Options& options, const System& system)
      : options_{options}, system_{system}, lines_{options.json ? stderr : stdout} {}

  int run();

 private:
  int run_context(Context context);
  int measure(Run* run);
  int judge(const Run& run) const;
  int deliver() const;
  int deliver_file(const std::string& path, const std::string& text, bool replace) const;
  bool outputs_possible() const;

  const Options& options_;
  const System& system_;
  FILE* lines_;
  Report report_;
  int c_states_{-1};
};

// Hours of measurement are not lost to a file that cannot be written.
bool Program::outputs_possible() const {
  if (options_.plot && *options_.plot != "-" && access(options_.plot->c_str(), F_OK) == 0) {
    fprintf(stderr, "latmus: %s is there already, and is not overwritten\n",
            options_.plot->c_str());
    return false;
  }
  for (const std::string& path : {options_.svg, options_.html}) {
    if (path.empty()) continue;
    if (const int status = write_file(path, ""); status < 0) {
      fprintf(stderr, "latmus: cannot write %s: %s\n", path.c_str(), strerror(-status));
      return false;
    }
  }
  return true;
}

int Program::measure(Run* run) {
  TraceFreezer none{System{}};
  std::optional<TraceFreezer> armed;
  if (options_.limit_ns) armed.emplace(system_);
  TraceFreezer& freezer = armed ? *armed : none;

  Recorder recorder{options_, lines_, &freezer, run};
  const Task task{.options = options_, .run = *run, .recorder = recorder, .freezer = freezer};
  run->started = time(nullptr);
  const int64_t start = monotonic_ns();
  const bool core = !is_inband(run->context) && !is_gpio(run->context);
  const int status = is_gpio(run->context)           ? measure_gpio(task)
                     : run->context == Context::fifo ? measure_fifo(task)
                     : core                          ? measure_with_core(task)
                                                     : kFailed;
  constexpr int64_t kSecond = 1'000'000'000;
  run->duration_s = std::max<int64_t>((monotonic_ns() - start) / kSecond - kWarmUpSeconds, 0);
  if (run->ending == Ending::latency_limit) {
    fprintf(stderr, "latmus: a latency of %s us is above the limit of %s us; %s\n",
            in_us(run->summary.max_ns()).c_str(),
            in_us(static_cast<double>(*options_.limit_ns)).c_str(), freezer.advice().c_str());
  }
  return status;
}

int Program::judge(const Run& run) const {
  switch (run.ending) {
    case Ending::timeout:
    case Ending::interrupted:
      return kDone;
    case Ending::inband_switch:
      fputs(
          "latmus: the responder was switched in-band: the figures are not reliable.\n"
          "'evl ps -s' counts the switches (ISW); -K goes on in spite of them.\n",
          stderr);
      return kFailed;
    case Ending::latency_limit:
      return kOverLimit;
    case Ending::inconsistent:
      fputs("latmus: the figures contradict each other: minimum, average and maximum\n", stderr);
      return kInconsistent;
    case Ending::failed:
      break;
  }
  return kFailed;
}

int Program::run_context(Context context) {
  const auto choice = pin(system_, options_, context);
  if (!choice) return kWrongUse;
  Run run;
  run.context = context;
  run.cpu = choice->cpu;
  run.isolated = choice->isolated;
  run.priority = options_.priority;
  run.period_ns = options_.period_ns;
  run.requested_s = options_.timeout_s;
  run.c_states_restricted = c_states_ >= 0;
  run.histogram = Histogram{options_.cells, options_.cell_ns};
  reset_control(options_.keep_going);

  if (options_.mode == Mode::tune) {
    Recorder recorder{options_, lines_, nullptr, &run};
    TraceFreezer none{System{}};
    return tune_with_core({.options = options_, .run = run, .recorder = recorder, .freezer = none},
                          lines_);
  }
  if (options_.quiet()) {
    fprintf(stderr, "running quietly for %lld seconds on CPU%d%s\n",
            static_cast<long long>(options_.timeout_s), run.cpu,
            run.isolated ? "" : " (not isolated)");
  } else {
    fprintf(stderr, "warming up on CPU%d%s...\n", run.cpu, run.isolated ? "" : " (not isolated)");
  }
  const int status = measure(&run);
  if (status != kDone) return status;
  fputs(summary_lines(run).c_str(), lines_);
  fflush(lines_);
  report_.runs.push_back(std::move(run));
  return judge(report_.runs.back());
}

int Program::deliver_file(const std::string& path, const std::string& text, bool replace) const {
  if (path.empty() || text.empty()) return kDone;
  const int status = replace ? write_file(path, text) : write_new_file(path, text);
  if (status < 0) fprintf(stderr, "latmus: cannot write %s: %s\n", path.c_str(), strerror(-status));
  return status < 0 ? kFailed : kDone;
}

int Program::deliver() const {
  if (report_.runs.empty()) return kDone;
  if (report_.runs.size() > 1) fprintf(lines_, "\n%s", final_table(report_).c_str());
  if (options_.chart) {
    for (const Run& run : report_.runs) fprintf(lines_, "\n%s", terminal_chart(run).c_str());
  }
  int status = kDone;
  if (options_.plot) {
    // gnuplot tells data sets apart by two empty lines between them: its "index".
    std::string text;
    for (const Run& run : report_.runs) {
      const std::string one = gnuplot_text(report_, run);
      text += (text.empty() || one.empty() ? "" : "\n\n") + one;
    }
    if (*options_.plot == "-") {
      fputs(text.c_str(), stdout);
    } else {
      status |= deliver_file(*options_.plot, text, false);
    }
  }
  status |= deliver_file(options_.svg, options_.svg.empty() ? "" : svg_text(report_), true);
  status |= deliver_file(options_.html, options_.html.empty() ? "" : html_text(report_), true);
  if (options_.json) fputs(json_text(report_).c_str(), stdout);
  fflush(stdout);
  return status;
}

int Program::run() {
  if (!outputs_possible()) return kFailed;
  if (options_.background && daemon(1, 1) < 0) {
    fprintf(stderr, "latmus: no background process: %m\n");
    return kFailed;
  }
  set_up_signals();
  c_states_ = restrict_c_states();
  report_.command = options_.command;
  report_.load = options_.load;
  const int64_t start = monotonic_ns();
  if (options_.mode == Mode::tune) {
    fputs("== latmus: tuning the gravity, this takes some minutes on a slow board...\n", lines_);
  }
  int status = kDone;
  for (const Context context : options_.contexts) {
    const int one = run_context(context);
    if (status == kDone) status = one;
    const bool stop = control().ending == static_cast<int>(Ending::interrupted) ||
                      one == kNoSupport || one == kWrongUse ||
                      (options_.mode == Mode::tune && one != kDone);
    if (stop) break;
  }
  if (options_.mode == Mode::tune && status == kDone) {
    fprintf(lines_, "== tuning completed after %lld s\n",
            static_cast<long long>((monotonic_ns() - start) / 1'000'000'000));
  }
  report_.environment = Environment::of(system_);
  const int delivered = deliver();
  if (c_states_ >= 0) close(c_states_);
  return status != kDone ? status : delivered;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string error;
  switch (parse_options(argc, argv, &options, &error)) {
    case Parsed::help:
      fputs(usage(), stdout);
      return kDone;
    case Parsed::describe:
      puts("measures how late a timer is answered, and calibrates the core");
      return kDone;
    case Parsed::wrong_use:
      fprintf(stderr, "latmus: %s\n%s", error.c_str(), usage());
      return kWrongUse;
    case Parsed::run:
      break;
  }
  const System system = System::from_environment();
  for (const Context context : options.contexts) {
    if (!is_inband(context) && !system.has_core()) return report_no_core("latmus");
  }
  return Program{options, system}.run();
}
