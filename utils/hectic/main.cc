// SPDX-License-Identifier: MIT
// hectic: switches between threads of every kind, on every CPU of the core, and checks the FPU.

#include <evl/evl.h>
#include <evl/sys.h>
#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <set>

#include "common/cpu_list.h"
#include "common/system.h"
#include "common/text.h"
#include "hectic/spec.h"
#include "hectic/task.h"

namespace {

using namespace utils;
using namespace utils::hectic;

constexpr int kGoesOn = -1;

struct Options {
  Settings settings;
  int lines{21};
  bool rows{true};
  bool silent{false};
  int64_t duration_s{0};
  std::optional<std::set<int>> cpus;
  std::vector<Spec> specs;
};

void print_usage(FILE* where) {
  fputs(
      "usage: hectic [OPTIONS] [THREAD...]\n"
      "  -c LIST     CPUs [those of the core]\n"
      "  -T SECONDS  duration [until Ctrl-C]\n"
      "  -s US       stress: a switch every so many microseconds, by a timer of the kernel, and a\n"
      "              thread in the background that uses the FPU\n"
      "  -n          leave the FPU alone\n"
      "  -l N        rows between headers, 0: one header [21]\n"
      "  -q          no rows; -Q: nothing but errors\n"
      "  -h          this text\n"
      "THREAD: rtk (kernel), rtup (out-of-band), rtus (in-band), rtuo (both), then _ufpp: uses "
      "the\n"
      "FPU while out-of-band, _ufps: while in-band, and a CPU [0]. Two of each kind per CPU "
      "otherwise.\n",
      where);
}

int wrong_use(const char* what, const char* value) {
  fprintf(stderr, "hectic: %s: '%s'\n", what, value);
  print_usage(stderr);
  return kWrongUse;
}

int parse_options(int argc, char** argv, const System& system, Options* options) {
  int letter = 0;
  const auto number = [&](int64_t least, int64_t most) { return to_integer(optarg, least, most); };
  while ((letter = getopt(argc, argv, "hl:nqQT:c:s:@")) != -1) {
    switch (letter) {
      case 'h':
        print_usage(stdout);
        return kDone;
      case '@':
        puts("switches between threads of all kinds, and checks the FPU");
        return kDone;
      case 'l': {
        const auto lines = number(0, INT32_MAX);
        if (!lines) return wrong_use("not a number of rows", optarg);
        options->lines = static_cast<int>(*lines);
        break;
      }
      case 'n':
        options->settings.fpu = false;
        break;
      case 'q':
        options->rows = false;
        break;
      case 'Q':
        options->rows = false;
        options->silent = true;
        break;
      case 'T': {
        const auto seconds = number(1, INT32_MAX);
        if (!seconds) return wrong_use("not a duration in seconds", optarg);
        options->duration_s = *seconds;
        break;
      }
      case 'c':
        options->cpus = parse_cpu_list(optarg, system.last_cpu());
        if (!options->cpus || options->cpus->empty())
          return wrong_use("not a list of CPUs", optarg);
        break;
      case 's': {
        const auto pause = number(1, 1'000'000);
        if (!pause) return wrong_use("the pause is 1 to 1000000 us", optarg);
        options->settings.pause_us = static_cast<uint32_t>(*pause);
        break;
      }
      default:
        print_usage(stderr);
        return kWrongUse;
    }
  }
  for (; optind < argc; ++optind) {
    const auto spec = Spec::parse(argv[optind]);
    if (!spec) return wrong_use("no such thread", argv[optind]);
    if (spec->uses_fpu() && !options->settings.fpu) return wrong_use("-n forbids it", argv[optind]);
    options->specs.push_back(*spec);
  }
  return kGoesOn;
}

class Program final {
 public:
  Program(Options options, const System& system) : options_{std::move(options)}, system_{system} {}

  int run();

 private:
  int check_core();
  int prepare();
  int watch();
  bool print_row(size_t test, bool last);
  void print_header();

  Options options_;
  const System& system_;
  std::vector<std::unique_ptr<CpuTest>> tests_;
  std::vector<uint32_t> seen_;
  int64_t elapsed_s_{0};
  int printed_{0};
};

int Program::check_core() {
  if (!system_.has_core()) return report_no_core("hectic");
  const int status = evl_init();
  if (status == -ENOSYS || status == -ENOEXEC) return kNoSupport;
  if (status < 0) {
    fprintf(stderr, "hectic: the core does not take this process: %s\n", strerror(-status));
    return kFailed;
  }
  options_.settings.fpu_features = evl_detect_fpu();
  if (!options_.settings.fpu) return kDone;
  return test_fpu_routines(options_.settings.fpu_features, !options_.silent) ? kDone : kFailed;
}

int Program::prepare() {
  std::map<int, std::vector<Spec>> by_cpu;
  if (options_.specs.empty()) {
    std::set<int> cpus = options_.cpus ? *options_.cpus : system_.oob_cpus();
    if (cpus.empty()) cpus = system_.online_cpus();
    for (const int cpu : cpus) by_cpu[cpu] = default_specs(cpu, options_.settings.fpu);
  }
  for (const Spec& spec : options_.specs) by_cpu[spec.cpu].push_back(spec);
  for (auto& [cpu, specs] : by_cpu) {
    tests_.push_back(std::make_unique<CpuTest>(cpu, std::move(specs), options_.settings));
    if (const int status = tests_.back()->prepare(); status != kDone) return status;
  }
  if (!options_.silent) {
    std::string names = "== Threads:";
    for (const auto& test : tests_) {
      for (const std::string& name : test->names()) names += " " + name;
    }
    puts(names.c_str());
  }
  seen_.resize(tests_.size());
  for (const auto& test : tests_) {
    if (const int status = test->go(); status != kDone) return status;
  }
  return kDone;
}

void Program::print_header() {
  const bool again = options_.lines > 0 && printed_ % options_.lines == 0;
  if (printed_++ > 0 && !again) return;
  printf("RTT|  %s\n", clock_time(elapsed_s_).c_str());
  puts("RTH|---------cpu|ctx switches|-------total");
}

// False: nothing was switched since the last row.
bool Program::print_row(size_t test, bool last) {
  const uint32_t total = tests_[test]->switches();
  const unsigned long since = total - seen_[test];
  if (options_.rows || (last && !options_.silent)) {
    print_header();
    printf("RTD|%12u|%12lu|%12u\n", static_cast<unsigned int>(tests_[test]->cpu()), since, total);
    fflush(stdout);
  }
  seen_[test] = total;
  return since > 0;
}

int Program::watch() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1}) sigaddset(&ends, number);
  timespec next{};
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (;;) {
    ++next.tv_sec;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t rest_ns = (next.tv_sec - now.tv_sec) * 1'000'000'000 + next.tv_nsec - now.tv_nsec;
    if (rest_ns < 0) rest_ns = 0;
    const timespec rest{.tv_sec = static_cast<time_t>(rest_ns / 1'000'000'000),
                        .tv_nsec = static_cast<long>(rest_ns % 1'000'000'000)};
    const int number = sigtimedwait(&ends, nullptr, &rest);
    if (failed) return kFailed;
    if (number > 0 && number != SIGUSR1) return kDone;
    if (number < 0 && errno == EINTR) continue;
    ++elapsed_s_;
    for (size_t test = 0; test < tests_.size(); ++test) {
      if (print_row(test, false)) continue;
      fprintf(stderr, "hectic: no switch during one second on CPU%d\n", tests_[test]->cpu());
      return kFailed;
    }
    if (options_.duration_s > 0 && elapsed_s_ >= options_.duration_s) return kDone;
  }
}

int Program::run() {
  if (const int status = check_core(); status != kDone) return status;
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1}) sigaddset(&ends, number);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  int status = prepare();
  if (status == kDone) {
    status = watch();
    for (size_t test = 0; test < tests_.size(); ++test) (void)print_row(test, true);
  }
  fflush(stdout);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const System system = System::from_environment();
  Options options;
  const int parsed = parse_options(argc, argv, system, &options);
  if (parsed != kGoesOn) return parsed;
  // The threads are still in their calls, and use what a return from main would destroy.
  _exit(Program{std::move(options), system}.run());
}
