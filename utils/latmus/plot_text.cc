// SPDX-License-Identifier: MIT
// Plots made of characters: the file for gnuplot, the bars for a terminal.

#include <algorithm>
#include <cmath>

#include "common/text.h"
#include "latmus/plots.h"

namespace utils::latmus {
namespace {

std::string date_text(time_t when) {
  char text[64];
  tm local{};
  localtime_r(&when, &local);
  return strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &local) > 0 ? text : "";
}

std::string plot_header(const Report& report, const Run& run) {
  const Environment& environment = report.environment;
  const Summary& all = run.summary;
  const auto us = [](double ns) { return ns / 1000; };
  std::string text = format("# test started on: %s\n", date_text(run.started).c_str());
  text += format("# Linux %s\n", environment.kernel.c_str());
  text += format("# %s\n", environment.command_line.c_str());
  text += format("# libevl version: %s\n", environment.library.c_str());
  text += format("# sampling period: %lld microseconds\n",
                 static_cast<long long>(run.period_ns / 1000));
  text += format("# clock gravity: %s\n",
                 environment.gravity.empty() ? "none" : environment.gravity.c_str());
  text += format("# clocksource: %s\n", environment.clocksource.c_str());
  text += format("# vDSO access: %s\n",
                 environment.vdso_access.empty() ? "unknown" : environment.vdso_access.c_str());
  text += format("# context: %s\n", name_of(run.context));
  if (has_priority(run.context)) {
    text += format("# thread priority: %d\n", run.priority);
    text += format("# thread affinity: CPU%d%s\n", run.cpu, run.isolated ? "" : "-noisol");
  }
  if (run.c_states_restricted) text += "# C-state restricted\n";
  if (run.histogram.cell_ns() != 1000)
    text += format("# cell width: %u ns\n", run.histogram.cell_ns());
  if (!report.load.empty()) text += format("# load: %s\n", report.load.c_str());
  text += format("# duration (hhmmss): %s\n", clock_time(run.duration_s).c_str());
  text += format("# peak (hhmmss): %s\n", clock_time(all.peak_second()).c_str());
  if (all.overruns() > 0)
    text += format("# OVERRUNS: %lld\n", static_cast<long long>(all.overruns()));
  if (run.inband_switches > 0) text += format("# IN-BAND SWITCHES: %u\n", run.inband_switches);
  text += format("# min latency: %.3f\n# avg latency: %.3f\n# max latency: %.3f\n",
                 us(all.min_ns()), us(all.avg_ns()), us(all.max_ns()));
  return text + format("# sample count: %lld\n", static_cast<long long>(all.samples()));
}

int bar_length(uint64_t count, uint64_t most, int width) {
  if (count == 0) return 0;
  const double share =
      std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(most));
  return std::max(1, static_cast<int>(std::lround(share * width)));
}

}  // namespace

std::string gnuplot_text(const Report& report, const Run& run) {
  const Histogram& histogram = run.histogram;
  const auto first = histogram.first();
  const auto last = histogram.last();
  if (!first || run.summary.empty()) return {};
  std::string text = plot_header(report, run);
  const bool overflowed = histogram.overflowed(run.summary.max_ns());
  for (uint32_t cell = *first; cell <= *last; ++cell) {
    const bool open = overflowed && cell + 1 == histogram.cells();
    text += format("%u%s %llu\n", cell, open ? "+" : "",
                   static_cast<unsigned long long>(histogram.count(cell)));
  }
  return text;
}

std::string terminal_chart(const Run& run, int rows, int width) {
  const Histogram& histogram = run.histogram;
  const auto first = histogram.first();
  const auto last = histogram.last();
  if (!first || run.summary.empty()) return format("%s: no sample\n", name_of(run.context));

  const uint32_t merged = (*last - *first) / static_cast<uint32_t>(rows) + 1;
  std::vector<uint64_t> counts((*last - *first) / merged + 1);
  for (uint32_t cell = *first; cell <= *last; ++cell) {
    counts[(cell - *first) / merged] += histogram.count(cell);
  }
  const uint64_t most = *std::max_element(counts.begin(), counts.end());
  std::string text = format("%s: %lld samples; a bar is as long as the logarithm of its count\n",
                            describe(run).c_str(), static_cast<long long>(run.summary.samples()));
  const double cell_us = histogram.cell_ns() / 1000.0;
  const bool overflowed = histogram.overflowed(run.summary.max_ns());
  for (size_t row = 0; row < counts.size(); ++row) {
    const double from = (*first + static_cast<double>(row) * merged) * cell_us;
    const bool open = overflowed && row + 1 == counts.size();
    const std::string bar(static_cast<size_t>(bar_length(counts[row], most, width)), '#');
    text += format("%9.3f us%c |%s%s%llu\n", from, open ? '+' : ' ', bar.c_str(),
                   bar.empty() ? "" : " ", static_cast<unsigned long long>(counts[row]));
  }
  return text;
}

}  // namespace utils::latmus
