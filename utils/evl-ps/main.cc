// SPDX-License-Identifier: MIT
// evl ps: the threads of the core.

#include <getopt.h>

#include <cstdio>
#include <optional>
#include <set>

#include "common/cpu_list.h"
#include "common/system.h"
#include "evl-ps/table.h"

namespace {

using namespace utils;

void print_usage(FILE* where) {
  fputs(
      "usage: evl ps [OPTIONS]\n"
      "  -c, --cpu=LIST      threads on these CPUs only: 0,2-3, 3-, -2\n"
      "  -p, --policy        policy and priority [the default]\n"
      "  -s, --state         switches, requests, state\n"
      "  -t, --times         timeout, share of the CPU, CPU time\n"
      "  -w, --wait          timeout, state, what the thread waits for\n"
      "  -l, --long          all of these\n"
      "  -n, --numeric       the state in hexadecimal\n"
      "  -S, --sort=LETTERS  by c: %CPU, i: ISW, t: CPUTIME, x: CTXSW, w: RWA; r: in reverse "
      "[pid]\n"
      "      --json          one array on stdout\n"
      "  -h, --help          this text\n",
      where);
}

struct Options {
  Groups groups;
  Order order;
  std::optional<std::set<int>> cpus;
  bool json{false};
};

int wrong_use(const char* what, const char* value) {
  fprintf(stderr, "evl ps: %s: '%s'\n", what, value);
  print_usage(stderr);
  return kWrongUse + 1;
}

// Zero: goes on; else the exit status, plus one.
int parse_options(int argc, char** argv, const System& system, Options* options) {
  static const option kLong[] = {{"cpu", required_argument, nullptr, 'c'},
                                 {"state", no_argument, nullptr, 's'},
                                 {"times", no_argument, nullptr, 't'},
                                 {"wait", no_argument, nullptr, 'w'},
                                 {"policy", no_argument, nullptr, 'p'},
                                 {"long", no_argument, nullptr, 'l'},
                                 {"numeric", no_argument, nullptr, 'n'},
                                 {"sort", required_argument, nullptr, 'S'},
                                 {"json", no_argument, nullptr, 'j'},
                                 {"help", no_argument, nullptr, 'h'},
                                 {}};
  bool numeric = false;
  int letter = 0;
  while ((letter = getopt_long(argc, argv, "c:stwplnS:h@", kLong, nullptr)) != -1) {
    switch (letter) {
      case 'c':
        options->cpus = parse_cpu_list(optarg, system.last_cpu());
        if (!options->cpus || options->cpus->empty())
          return wrong_use("not a list of CPUs", optarg);
        break;
      case 's':
        options->groups.state = true;
        break;
      case 't':
        options->groups.times = true;
        break;
      case 'w':
        options->groups.wait = true;
        break;
      case 'p':
        options->groups.policy = true;
        break;
      case 'l':
        options->groups = Groups::everything();
        break;
      case 'n':
        numeric = true;
        break;
      case 'S':
        if (const auto order = Order::parse(optarg)) {
          options->order = *order;
          break;
        }
        return wrong_use("unknown sort key", optarg);
      case 'j':
        options->json = true;
        break;
      case 'h':
        print_usage(stdout);
        return kDone + 1;
      case '@':
        puts("lists the threads of the core");
        return kDone + 1;
      default:
        print_usage(stderr);
        return kWrongUse + 1;
    }
  }
  if (optind < argc) return wrong_use("not an option", argv[optind]);
  if (!options->groups.any()) options->groups.policy = true;
  options->groups.numeric = numeric;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const System system = System::from_environment();
  Options options;
  if (const int status = parse_options(argc, argv, system, &options); status != 0)
    return status - 1;
  if (!system.has_core()) return report_no_core("evl ps");

  auto rows =
      read_threads(system.virtual_devices + "/thread", wanted_for(options.groups, options.order));
  if (options.cpus) keep_cpus(&rows, *options.cpus);
  sort_rows(&rows, options.order);
  const std::string text =
      options.json ? format_json(rows, options.groups) : format_table(rows, options.groups);
  fputs(text.c_str(), stdout);
  return fflush(stdout) == 0 ? kDone : kFailed;
}
