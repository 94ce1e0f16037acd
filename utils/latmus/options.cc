// SPDX-License-Identifier: MIT

#include "latmus/options.h"

#include <getopt.h>

#include <algorithm>

#include "common/text.h"

namespace utils::latmus {
namespace {

constexpr int64_t kMostPeriodUs = 1'000'000;
constexpr int64_t kMostCells = 1000;
constexpr int64_t kMostCellNs = 1'000'000;

// Options without a letter.
enum : int { kJson = 256, kSvg, kHtml, kLoad, kChart };

const option kLong[] = {{"measure", no_argument, nullptr, 'm'},
                        {"tune", no_argument, nullptr, 't'},
                        {"irq", no_argument, nullptr, 'i'},
                        {"kernel", no_argument, nullptr, 'k'},
                        {"user", no_argument, nullptr, 'u'},
                        {"sirq", no_argument, nullptr, 's'},
                        {"fifo", no_argument, nullptr, 'f'},
                        {"oob-gpio", required_argument, nullptr, 'Z'},
                        {"inband-gpio", required_argument, nullptr, 'z'},
                        {"gpio-in", required_argument, nullptr, 'I'},
                        {"gpio-out", required_argument, nullptr, 'O'},
                        {"period", required_argument, nullptr, 'p'},
                        {"priority", required_argument, nullptr, 'P'},
                        {"cpu", required_argument, nullptr, 'c'},
                        {"force-cpu", required_argument, nullptr, 'C'},
                        {"reset", no_argument, nullptr, 'r'},
                        {"background", no_argument, nullptr, 'b'},
                        {"keep-going", no_argument, nullptr, 'K'},
                        {"maxlat-abort", required_argument, nullptr, 'A'},
                        {"timeout", required_argument, nullptr, 'T'},
                        {"verbose", optional_argument, nullptr, 'v'},
                        {"quiet", no_argument, nullptr, 'q'},
                        {"lines", required_argument, nullptr, 'l'},
                        {"histogram", required_argument, nullptr, 'H'},
                        {"cell-width", required_argument, nullptr, 'w'},
                        {"plot", optional_argument, nullptr, 'g'},
                        {"chart", no_argument, nullptr, kChart},
                        {"json", no_argument, nullptr, kJson},
                        {"svg", required_argument, nullptr, kSvg},
                        {"html", required_argument, nullptr, kHtml},
                        {"load", required_argument, nullptr, kLoad},
                        {"help", no_argument, nullptr, 'h'},
                        {}};

class Parser final {
 public:
  Parser(Options* options, std::string* error) : options_{*options}, error_{*error} {}

  Parsed take(int letter, const char* value);
  Parsed finish();
  Parsed wrong(std::string text) {
    error_ = std::move(text);
    return Parsed::wrong_use;
  }

 private:
  // A number in a range, or wrong use.
  template <typename T>
  Parsed number(const char* what, const char* text, int64_t least, int64_t most, T* result,
                int64_t factor = 1) {
    const auto value = to_integer(text, least, most);
    if (!value) {
      return wrong(format("%s has to be %lld to %lld, not '%s'", what,
                          static_cast<long long>(least), static_cast<long long>(most), text));
    }
    *result = static_cast<T>(*value * factor);
    return Parsed::run;
  }
  Parsed take_output(int letter, const char* value);
  Parsed take_gpio(int letter, const char* value);
  void add(Context context) {
    auto& contexts = options_.contexts;
    if (std::find(contexts.begin(), contexts.end(), context) == contexts.end()) {
      contexts.push_back(context);
    }
  }
  [[nodiscard]] bool has(Context context) const {
    const auto& contexts = options_.contexts;
    return std::find(contexts.begin(), contexts.end(), context) != contexts.end();
  }

  Options& options_;
  std::string& error_;
  bool quiet_{false};
};

Parsed Parser::take(int letter, const char* value) {
  switch (letter) {
    case 'm':
      options_.mode = Mode::measure;
      return Parsed::run;
    case 't':
      options_.mode = Mode::tune;
      return Parsed::run;
    case 'i':
      add(Context::irq);
      return Parsed::run;
    case 'k':
      add(Context::kernel);
      return Parsed::run;
    case 'u':
      add(Context::user);
      return Parsed::run;
    case 's':
      add(Context::sirq);
      return Parsed::run;
    case 'f':
      add(Context::fifo);
      return Parsed::run;
    case 'p':
      return number("the period in us", value, 1, kMostPeriodUs, &options_.period_ns, 1000);
    case 'P':
      return number("the priority", value, 1, 99, &options_.priority);
    case 'C':
      options_.force_cpu = true;
      [[fallthrough]];
    case 'c': {
      int cpu = 0;
      const Parsed parsed = number("the CPU", value, 0, INT16_MAX, &cpu);
      options_.cpu = cpu;
      return parsed;
    }
    case 'r':
      options_.reset = true;
      return Parsed::run;
    case 'b':
      options_.background = quiet_ = true;
      return Parsed::run;
    case 'K':
      options_.keep_going = true;
      return Parsed::run;
    case 'A': {
      int64_t limit = 0;
      const Parsed parsed = number("the limit in us", value, 1, INT32_MAX / 1000, &limit, 1000);
      options_.limit_ns = limit;
      return parsed;
    }
    case 'T':
      if (const auto seconds = parse_duration(value)) {
        options_.timeout_s = *seconds;
        return Parsed::run;
      }
      return wrong(format("the duration has to be <n>[dhms], not '%s'", value));
    default:
      return take_output(letter, value);
  }
}

Parsed Parser::take_output(int letter, const char* value) {
  switch (letter) {
    case 'v':
      return number("the verbosity", value != nullptr ? value : "1", 0, 2, &options_.verbosity);
    case 'q':
      quiet_ = true;
      return Parsed::run;
    case 'l':
      return number("the number of lines", value, 0, INT32_MAX, &options_.lines);
    case 'H':
      return number("the number of cells", value, 1, kMostCells, &options_.cells);
    case 'w':
      return number("the width of a cell in ns", value, 1, kMostCellNs, &options_.cell_ns);
    case 'g':
      options_.plot = value != nullptr ? value : "-";
      return Parsed::run;
    case kChart:
      options_.chart = true;
      return Parsed::run;
    case kJson:
      options_.json = true;
      return Parsed::run;
    case kSvg:
      options_.svg = value;
      return Parsed::run;
    case kHtml:
      options_.html = value;
      return Parsed::run;
    case kLoad:
      options_.load = value;
      return Parsed::run;
    case 'h':
      return Parsed::help;
    case '@':
      return Parsed::describe;
    default:
      return take_gpio(letter, value);
  }
}

Parsed Parser::take_gpio(int letter, const char* value) {
  switch (letter) {
    case 'Z':
      add(Context::oob_gpio);
      options_.gpio_host = value;
      return Parsed::run;
    case 'z':
      add(Context::inband_gpio);
      options_.gpio_host = value;
      return Parsed::run;
    case 'I':
    case 'O': {
      const auto line = GpioLine::parse(value);
      if (!line)
        return wrong(format("a line is <chip>,<pin>[,rising-edge|falling-edge], not '%s'", value));
      (letter == 'I' ? options_.gpio_in : options_.gpio_out) = line;
      return Parsed::run;
    }
    default:
      return wrong("");
  }
}

Parsed Parser::finish() {
  if (quiet_) options_.verbosity = 0;
  const bool tune = options_.mode == Mode::tune;
  const bool gpio = has(Context::oob_gpio) || has(Context::inband_gpio);
  if (options_.contexts.empty()) {
    options_.contexts = tune ? std::vector{Context::irq, Context::kernel, Context::user}
                             : std::vector{Context::user};
  }
  if (tune && (gpio || has(Context::sirq) || has(Context::fifo))) {
    return wrong("only -i, -k and -u have a gravity to tune");
  }
  if (gpio && (options_.contexts.size() > 1 || !options_.gpio_in || !options_.gpio_out)) {
    return wrong("-Z or -z stands alone, and needs -I and -O");
  }
  if (options_.quiet() && !tune && options_.timeout_s == 0) {
    return wrong("a quiet run needs a duration, -T");
  }
  const bool several = options_.contexts.size() > 1;
  if (several && !tune && options_.timeout_s == 0) {
    return wrong("several contexts are measured one after the other: give a duration, -T");
  }
  if (options_.json && options_.plot == "-") return wrong("--json and -g both want stdout");
  if (tune) options_.plot.reset();
  return Parsed::run;
}

}  // namespace

std::optional<GpioLine> GpioLine::parse(std::string_view text) {
  const auto parts = split(text, ',');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty()) return std::nullopt;
  const auto pin = to_integer(parts[1], 0, INT16_MAX);
  if (!pin) return std::nullopt;
  GpioLine line{.chip = std::string{parts[0]}, .pin = static_cast<int>(*pin)};
  if (line.chip.find('/') == std::string::npos) line.chip = "/dev/" + line.chip;
  if (parts.size() == 3) {
    if (parts[2] != "rising-edge" && parts[2] != "falling-edge") return std::nullopt;
    line.edge = parts[2] == "rising-edge" ? Edge::rising : Edge::falling;
  }
  return line;
}

std::optional<int64_t> parse_duration(std::string_view text) {
  constexpr int64_t kMost = 10LL * 365 * 86400;
  if (text.empty()) return std::nullopt;
  int64_t factor = 1;
  switch (text.back()) {
    case 'd':
      factor = 86400;
      break;
    case 'h':
      factor = 3600;
      break;
    case 'm':
      factor = 60;
      break;
    default:
      break;
  }
  if (factor > 1 || text.back() == 's') text.remove_suffix(1);
  const auto number = to_integer(text, 1, kMost / factor);
  if (!number) return std::nullopt;
  return *number * factor;
}

Parsed parse_options(int argc, char** argv, Options* options, std::string* error) {
  Parser parser{options, error};
  for (int at = 0; at < argc; ++at) {
    options->command += std::string{at > 0 ? " " : ""} + argv[at];
  }
  opterr = 0;
  optind = 0;
  int letter = 0;
  while ((letter = getopt_long(argc, argv, "mtikusfZ:z:I:O:p:P:c:C:rbKA:T:v::ql:H:w:g::h@", kLong,
                               nullptr)) != -1) {
    if (letter == '?') {
      return parser.wrong(
          format("unknown option, or one without its value: '%s'", argv[optind - 1]));
    }
    const Parsed parsed = parser.take(letter, optarg);
    if (parsed != Parsed::run) return parsed;
  }
  if (optind < argc) return parser.wrong(format("not an option: '%s'", argv[optind]));
  return parser.finish();
}

const char* usage() {
  return "usage: latmus [OPTIONS]\n"
         "what to do\n"
         "  -m, --measure            measure how late a timer is answered [the default]\n"
         "  -t, --tune               calibrate the gravity of the core's clock\n"
         "  -r, --reset              set the gravity to its defaults first\n"
         "who answers; several are measured one after the other\n"
         "  -i, --irq                the interrupt handler\n"
         "  -k, --kernel             a kernel thread\n"
         "  -u, --user               a user thread, out-of-band [the default]\n"
         "  -s, --sirq               an in-band interrupt, posted from out-of-band\n"
         "  -f, --fifo               a plain SCHED_FIFO thread of Linux, to compare\n"
         "  -Z, --oob-gpio=HOST      a user thread and a GPIO line; HOST[:PORT] is the monitor\n"
         "  -z, --inband-gpio=HOST   the same, in-band\n"
         "  -I, --gpio-in=LINE       -O, --gpio-out=LINE: CHIP,PIN[,rising-edge|falling-edge]\n"
         "how\n"
         "  -p, --period=US          1 to 1000000 [1000]\n"
         "  -P, --priority=N         of the thread that answers, 1 to 99 [98]\n"
         "  -c, --cpu=N              where it runs; -C, --force-cpu=N: even if the core has it "
         "not\n"
         "  -T, --timeout=N[dhms]    duration, after one second of warm-up [until Ctrl-C]\n"
         "  -A, --maxlat-abort=US    stop when it is later than that, and freeze the trace\n"
         "  -K, --keep-going         go on after an in-band switch\n"
         "what to print\n"
         "  -v, --verbose[=LEVEL]    0 to 2 [1]\n"
         "  -q, --quiet              no live lines\n"
         "  -b, --background         as a daemon, quiet\n"
         "  -l, --lines=N            rows between headers, 0: one header [21]\n"
         "  -H, --histogram=CELLS    1 to 1000 [200]\n"
         "  -w, --cell-width=NS      of the histogram, 1 to 1000000 [1000]\n"
         "  -g, --plot[=FILE]        the histogram for gnuplot, on stdout or into a new file\n"
         "      --chart              the histogram in the terminal\n"
         "      --json               one object on stdout; all other lines go to stderr\n"
         "      --svg=FILE           the plots as a picture\n"
         "      --html=FILE          the plots and all that belongs to them in one page\n"
         "      --load=TEXT          what else the machine does: goes into the reports\n";
}

}  // namespace utils::latmus
