// SPDX-License-Identifier: MIT

#include "latmus/report.h"

#include <evl/evl.h>
#include <sys/utsname.h>

#include "common/files.h"
#include "common/text.h"

namespace utils::latmus {
namespace {

// The kernel's own names of what is asked for most.
constexpr double kUs = 1000.0;

double us(int64_t ns) {
  return static_cast<double>(ns) / kUs;
}

}  // namespace

const char* name_of(Ending ending) {
  switch (ending) {
    case Ending::timeout:
      return "timeout";
    case Ending::interrupted:
      return "interrupted";
    case Ending::inband_switch:
      return "in-band switch";
    case Ending::latency_limit:
      return "latency limit";
    case Ending::inconsistent:
      return "inconsistent figures";
    case Ending::failed:
      return "failed";
  }
  return "?";
}

void Run::add(const Record& record) {
  seconds.push_back(record);
  summary.add(record);
}

Environment Environment::of(const System& system) {
  const std::string clocksource = system.path("/sys/devices/system/clocksource/clocksource0/");
  const auto text = [](const std::string& path) { return read_file(path).value_or(""); };
  utsname name{};
  uname(&name);
  const std::string load = text(system.path("/proc/loadavg"));
  return {.kernel = format("%s %s %s", name.release, name.version, name.machine),
          .command_line = text(system.path("/proc/cmdline")),
          .library = evl_get_version().version_string,
          .gravity = text(system.clock_attribute("gravity")),
          .clocksource = text(clocksource + "current_clocksource"),
          .vdso_access = text(clocksource + "vdso_clocksource"),
          // The three averages; process counts behind them differ with every look.
          .load_average = load.substr(0, load.find(' ', load.find(' ', load.find(' ') + 1) + 1))};
}

std::string describe(const Run& run) {
  std::string text = format("%s, %lld us period", name_of(run.context),
                            static_cast<long long>(run.period_ns / 1000));
  if (has_priority(run.context)) text += format(", priority %d", run.priority);
  return text + format(", CPU%d%s", run.cpu, run.isolated ? "" : "-noisol");
}

std::string title_line(const Run& run, int64_t elapsed_s) {
  return format("RTT|  %s  (%s)\n", clock_time(elapsed_s).c_str(), describe(run).c_str());
}

std::string header_line() {
  return "RTH|----lat min|----lat avg|----lat max|-overrun|---msw|---lat best|--lat worst\n";
}

std::string data_line(const Run& run, const Record& record) {
  const double avg =
      record.samples == 0 ? 0.0 : static_cast<double>(record.sum_lat) / record.samples;
  const Summary& all = run.summary;
  return format("RTD|%11.3f|%11.3f|%11.3f|%8d|%6u|%11.3f|%11.3f\n", us(record.min_lat), avg / kUs,
                us(record.max_lat), static_cast<int>(all.overruns()), run.inband_switches,
                us(all.min_ns()), us(all.max_ns()));
}

std::string summary_lines(const Run& run) {
  const Summary& all = run.summary;
  std::string text =
      "---|-----------|-----------|-----------|--------|------|-------------------------\n";
  if (all.empty()) return text + "RTS|no sample\n";
  text +=
      format("RTS|%11.3f|%11.3f|%11.3f|%8d|%6u|    %s/%s\n", us(all.min_ns()), all.avg_ns() / kUs,
             us(all.max_ns()), static_cast<int>(all.overruns()), run.inband_switches,
             clock_time(run.duration_s).c_str(), clock_time(run.requested_s).c_str());
  return text;
}

std::string in_us(double ns) {
  return format("%.3f", ns / kUs);
}

std::string final_table(const Report& report) {
  std::string text =
      "context      CPU   samples    min us    avg us    p99 us  p99.9 us    max us  overrun  "
      "msw\n";
  for (const Run& run : report.runs) {
    const Summary& all = run.summary;
    const double max = all.max_ns();
    text += format("%-11s %4d %9lld", name_of(run.context), run.cpu,
                   static_cast<long long>(all.samples()));
    if (all.empty()) {
      text += "  no sample\n";
      continue;
    }
    const auto quantile = [&](double share) {
      return static_cast<double>(run.histogram.quantile_ns(share, all.max_ns())) / kUs;
    };
    text += format(" %9.3f %9.3f %9.3f %9.3f %9.3f %8lld %4u\n", us(all.min_ns()),
                   all.avg_ns() / kUs, quantile(0.99), quantile(0.999), max / kUs,
                   static_cast<long long>(all.overruns()), run.inband_switches);
  }
  return text;
}

}  // namespace utils::latmus
