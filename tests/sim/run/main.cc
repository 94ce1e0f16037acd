// SPDX-License-Identifier: MIT
//
// The program behind scripts/sim, the tests and the search for mutants. Exit status: 0 nothing
// found, 1 a failure, 2 wrong use.

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "run/crash.h"
#include "run/runner.h"

namespace {

using sim::Runner;
using sim::Scenario;

struct Options {
  std::vector<const Scenario*> scenarios;
  std::uint64_t first_seed{1};
  std::uint64_t runs{1'000};  // Per scenario.
  double seconds{0};          // 0: by `runs` only.
  std::uint64_t stride{1};    // Of seeds: several processes share a search.
  unsigned preemptions{2};
  std::size_t lines{120};
  bool one_seed{false};
  bool shrink{false};
  bool explore{false};
  bool forks{false};  // A process per run: for coverage, whose counters a snapshot would put back.
};

[[noreturn]] void usage(const char* complaint) {
  std::fprintf(stderr,
               "sim: %s\n"
               "usage: sim [--list] [--seed N] [--from N] [--runs N] [--for SECONDS] [--stride N] "
               "[--shrink] [--lines N]\n"
               "           [--explore [--preemptions N]] [--fork] [SCENARIO...]\n",
               complaint);
  std::exit(2);
}

std::uint64_t number(const char* text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text, &end, 10);
  if (end == text || *end != '\0') usage((std::string{"not a number: "} + text).c_str());
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  auto next = [&](int& i) {
    if (i + 1 >= argc) usage((std::string{argv[i]} + " needs a value").c_str());
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--list") {
      for (const Scenario& scenario : sim::scenarios())
        std::printf("%-20s %s\n", scenario.name, scenario.summary);
      std::exit(0);
    } else if (word == "--seed") {
      options.first_seed = number(next(i));
      options.one_seed = true;
    } else if (word == "--from") {
      options.first_seed = number(next(i));
    } else if (word == "--runs") {
      options.runs = number(next(i));
    } else if (word == "--for") {
      options.seconds = static_cast<double>(number(next(i)));
      options.runs = ~std::uint64_t{0};
    } else if (word == "--stride") {
      options.stride = number(next(i));
    } else if (word == "--lines") {
      options.lines = number(next(i));
    } else if (word == "--preemptions") {
      options.preemptions = static_cast<unsigned>(number(next(i)));
    } else if (word == "--shrink") {
      options.shrink = true;
    } else if (word == "--explore") {
      options.explore = true;
    } else if (word == "--fork") {
      options.forks = true;
    } else if (word[0] == '-') {
      usage(("unknown option " + word).c_str());
    } else if (const Scenario* scenario = sim::find_scenario(argv[i])) {
      options.scenarios.push_back(scenario);
    } else {
      usage(("no scenario " + word + " (--list)").c_str());
    }
  }
  if (options.scenarios.empty())
    for (const Scenario& scenario : sim::scenarios())
      if (!options.explore || scenario.exhaustive) options.scenarios.push_back(&scenario);
  return options;
}

void print_failure(Runner& runner, const Options& options, const Scenario& scenario,
                   std::uint64_t seed, const sim::Report& report) {
  std::printf("FAILED %s, seed %llu, step %u (%s): %s\n", scenario.name,
              static_cast<unsigned long long>(seed), report.steps, report.strategy.c_str(),
              report.failure.c_str());
  std::printf("%s", report.trace.c_str());
  std::printf("the program:\n%s", sim::to_text(sim::program_of(scenario, seed)).c_str());
  if (options.shrink) {
    std::uint64_t found = seed;
    const sim::Program program = runner.reduce(scenario, found);
    const sim::Report again = runner.run(program, found);
    std::printf("reduced, schedule %llu: %s\n%s%s", static_cast<unsigned long long>(found),
                again.failure.c_str(), sim::to_text(program).c_str(), again.trace.c_str());
  }
  std::printf("replay: ./scripts/sim --seed %llu %s\n", static_cast<unsigned long long>(seed),
              scenario.name);
}

// A run in a process of its own; its counters are written when it exits.
sim::Report run_forked(Runner& runner, const Scenario& scenario, std::uint64_t seed) {
  const pid_t child = fork();
  if (child == 0) std::exit(runner.run(scenario, seed).failed ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  sim::Report report;
  report.failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  return report;
}

// A line on stderr for who waits, every ten seconds.
class Progress final {
 public:
  explicit Progress(const char* title) : title_{title} {}

  void operator()(std::uint64_t schedules) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kInterval;
    std::fprintf(stderr, "%s: %llu schedules so far\n", title_,
                 static_cast<unsigned long long>(schedules));
  }

 private:
  static constexpr std::chrono::seconds kInterval{10};

  const char* title_;
  std::chrono::steady_clock::time_point next_{std::chrono::steady_clock::now() + kInterval};
};

int explore(Runner& runner, const Options& options) {
  for (const Scenario* scenario : options.scenarios) {
    const Runner::Exploration done =
        runner.explore(*scenario, options.preemptions, options.runs, Progress{scenario->name});
    if (done.report.failed) {
      std::printf("FAILED %s, schedule %llu of the explorer: %s\n%s", scenario->name,
                  static_cast<unsigned long long>(done.runs), done.report.failure.c_str(),
                  done.report.trace.c_str());
      return 1;
    }
    std::printf("%-20s %llu schedules with at most %u preemptions%s\n", scenario->name,
                static_cast<unsigned long long>(done.runs), options.preemptions,
                done.exhausted ? ", all there are" : "");
  }
  return 0;
}

int search(Runner& runner, const Options& options) {
  const auto started = std::chrono::steady_clock::now();
  auto spent = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  std::uint64_t schedules = 0;
  std::uint64_t steps = 0;
  std::uint32_t irqs_off = 0;
  for (std::uint64_t seed = options.first_seed, count = 0; count < options.runs;
       seed += options.stride, ++count) {
    for (const Scenario* scenario : options.scenarios) {
      sim::about_to_run(scenario->name, seed, schedules + 1);
      sim::Report report =
          options.forks ? run_forked(runner, *scenario, seed) : runner.run(*scenario, seed);
      ++schedules;
      steps += report.steps;
      irqs_off = std::max(irqs_off, report.irqs_off_steps);
      if (report.failed) {
        if (options.forks) report = runner.run(*scenario, seed);
        print_failure(runner, options, *scenario, seed, report);
        std::printf("found by schedule %llu, after %.1f s\n",
                    static_cast<unsigned long long>(schedules), spent());
        return 1;
      }
    }
    if (options.one_seed || (options.seconds > 0 && spent() >= options.seconds)) break;
  }
  std::printf(
      "%llu schedules of %zu scenarios, %llu steps, at most %u with hard interrupts off, %.1f s: "
      "nothing found\n",
      static_cast<unsigned long long>(schedules), options.scenarios.size(),
      static_cast<unsigned long long>(steps), irqs_off, spent());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  sim::watch_for_crashes();
  Runner runner;
  runner.trace_lines = options.lines;
  return options.explore ? explore(runner, options) : search(runner, options);
}

// Runs that fail, or are cut short, abandon their flows with what these hold of the host's heap.
// The simulated kernel's memory is the arena's, which looks for leaks itself.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0:malloc_context_size=1";
}
