// SPDX-License-Identifier: MIT
// The report as a picture: above the histograms on a logarithmic scale, below the worst sample of
// each second. Colors are told apart by people who see red and green alike (Okabe and Ito, 2008).

#include <algorithm>
#include <cmath>

#include "common/text.h"
#include "latmus/axis.h"
#include "latmus/plots.h"

namespace utils::latmus {
namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 70;
constexpr double kRight = 940;
constexpr double kLegendLine = 20;

struct Box {
  double top;
  double bottom;
};

const char* color_of(Context context) {
  switch (context) {
    case Context::irq:
      return "#009e73";
    case Context::kernel:
      return "#e69f00";
    case Context::user:
    case Context::oob_gpio:
      return "#0072b2";
    case Context::fifo:
    case Context::inband_gpio:
      return "#d55e00";
    case Context::sirq:
      return "#cc79a7";
  }
  return "#000000";
}

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* more = "") {
  return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>%s</text>\n", x, y, anchor, more,
                escape_xml(text).c_str());
}

// Frame, grid and labels of one plot.
std::string draw_axes(const Axis& x, const Axis& y, Box box, const char* x_name, const char* y_name,
                      int y_steps) {
  std::string svg = "<g class=\"axes\">\n";
  for (const Tick& tick : y.ticks(y_steps)) {
    const double at = y.at(tick.value);
    svg +=
        format("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", kLeft, kRight, at, at);
    svg += text_at(kLeft - 8, at + 4, "end", tick.label);
  }
  for (const Tick& tick : x.ticks(10)) {
    const double at = x.at(tick.value);
    svg += format("<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", at, at, box.top,
                  box.bottom);
    svg += text_at(at, box.bottom + 16, "middle", tick.label);
  }
  svg += text_at((kLeft + kRight) / 2, box.bottom + 34, "middle", x_name);
  svg += format(
      "<text transform=\"translate(18 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
      (box.top + box.bottom) / 2, y_name);
  return svg + "</g>\n";
}

std::string legend_of(const Run& run) {
  const Summary& all = run.summary;
  return format("%s: %lld samples, min %s, avg %s, max %s us", describe(run).c_str(),
                static_cast<long long>(all.samples()), in_us(all.min_ns()).c_str(),
                in_us(all.avg_ns()).c_str(), in_us(all.max_ns()).c_str());
}

// An outline around the cells, from the base line up and back to it.
std::string draw_histogram(const Run& run, const Axis& x, const Axis& y, Box box) {
  const Histogram& histogram = run.histogram;
  const auto first = histogram.first();
  if (!first) return {};
  const double width_us = histogram.cell_ns() / 1000.0;
  std::string path = format("M%.1f %.1f", x.at(*first * width_us), box.bottom);
  for (uint32_t cell = *first; cell <= *histogram.last(); ++cell) {
    const uint64_t count = histogram.count(cell);
    const double height = count == 0 ? box.bottom : y.at(static_cast<double>(count));
    path += format("V%.1fH%.1f", height, x.at((cell + 1) * width_us));
  }
  path += format("V%.1fZ", box.bottom);
  std::string svg =
      format("<path class=\"cells\" d=\"%s\" fill=\"%s\" stroke=\"%s\"><title>%s</title></path>\n",
             path.c_str(), color_of(run.context), color_of(run.context),
             escape_xml(legend_of(run)).c_str());
  if (histogram.overflowed(run.summary.max_ns())) {
    const double at = x.at((*histogram.last() + 1) * width_us);
    svg += text_at(at - 3, y.at(static_cast<double>(histogram.count(*histogram.last()))) - 5, "end",
                   "and above");
  }
  return svg;
}

std::string draw_histograms(const Report& report, Box box) {
  double least = 1e300;
  double most = 0;
  double highest = 1;
  for (const Run& run : report.runs) {
    const Histogram& histogram = run.histogram;
    const auto first = histogram.first();
    if (!first) continue;
    const double width_us = histogram.cell_ns() / 1000.0;
    least = std::min(least, *first * width_us);
    most = std::max(most, (*histogram.last() + 1) * width_us);
    for (uint32_t cell = *first; cell <= *histogram.last(); ++cell) {
      highest = std::max(highest, static_cast<double>(histogram.count(cell)));
    }
  }
  if (most == 0)
    return text_at((kLeft + kRight) / 2, (box.top + box.bottom) / 2, "middle", "no sample");
  const double margin = std::max((most - least) * 0.02, 1e-3);
  const Axis x{Axis::Scale::linear, std::max(least - margin, 0.0), most + margin, kLeft, kRight};
  // One sample has to be seen: the axis starts below 1.
  const Axis y{Axis::Scale::logarithmic, 0.7, highest * 1.3, box.bottom, box.top};
  std::string svg = draw_axes(x, y, box, "latency (us)", "samples per cell", 5);
  for (const Run& run : report.runs) svg += draw_histogram(run, x, y, box);
  return svg;
}

std::string draw_seconds(const Report& report, Box box) {
  double least = 1e300;
  double most = -1e300;
  size_t length = 0;
  for (const Run& run : report.runs) {
    length = std::max(length, run.seconds.size());
    for (const Record& record : run.seconds) {
      if (record.samples == 0) continue;
      least = std::min(least, record.max_lat / 1000.0);
      most = std::max(most, record.max_lat / 1000.0);
    }
  }
  if (length == 0 || most < least) return {};
  const bool wide = least > 0 && most / least > 20;
  const Axis x{Axis::Scale::linear, 0, static_cast<double>(length), kLeft, kRight};
  const Axis y = wide
                     ? Axis{Axis::Scale::logarithmic, least * 0.8, most * 1.25, box.bottom, box.top}
                     : Axis{Axis::Scale::linear, std::min(least, 0.0), std::max(most, 0.0) * 1.1,
                            box.bottom, box.top};
  std::string svg = draw_axes(x, y, box, "time (s)", "worst of each second (us)", 5);
  for (const Run& run : report.runs) {
    std::string line;
    std::string dots;
    for (size_t second = 0; second < run.seconds.size(); ++second) {
      const Record& record = run.seconds[second];
      if (record.samples == 0) continue;
      const double at_x = x.at(static_cast<double>(second) + 0.5);
      const double at_y = y.at(record.max_lat / 1000.0);
      line += format("%s%.1f,%.1f", line.empty() ? "" : " ", at_x, at_y);
      dots += format(
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"><title>%s, second %zu: %s "
          "us</title></circle>\n",
          at_x, at_y, run.seconds.size() > 120 ? 1.2 : 3.0, name_of(run.context), second + 1,
          in_us(record.max_lat).c_str());
    }
    svg += format("<polyline points=\"%s\" stroke=\"%s\"/>\n<g fill=\"%s\">%s</g>\n", line.c_str(),
                  color_of(run.context), color_of(run.context), dots.c_str());
  }
  return svg;
}

std::string draw_legend(const Report& report) {
  std::string svg;
  double y = 46;
  for (const Run& run : report.runs) {
    svg += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"10\" fill=\"%s\"/>\n", kLeft,
                  y - 9, color_of(run.context));
    svg += text_at(kLeft + 22, y, "start",
                   run.summary.empty() ? describe(run) + ": no sample" : legend_of(run));
    y += kLegendLine;
  }
  return svg;
}

constexpr const char* kStyle =
    "<style>\n"
    "text{font:13px system-ui,'DejaVu Sans',sans-serif;fill:#333}\n"
    ".title{font-size:17px;font-weight:600;fill:#111}\n"
    ".axes line{stroke:#ddd}\n"
    ".cells{fill-opacity:.18;stroke-width:1.5;stroke-linejoin:round}\n"
    "polyline{fill:none;stroke-width:1.5}\n"
    "</style>\n";

}  // namespace

std::string svg_text(const Report& report) {
  const double legend = 40 + kLegendLine * static_cast<double>(report.runs.size());
  const Box upper{legend + 12, legend + 332};
  const Box lower{upper.bottom + 64, upper.bottom + 244};
  const double height = lower.bottom + 48;
  std::string svg = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
      "height=\"%.0f\""
      " role=\"img\" aria-label=\"Histogram of wake-up latencies\">\n",
      kWidth, height, kWidth, height);
  svg += kStyle;
  svg += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  svg += text_at(kLeft, 22, "start",
                 "Wake-up latency" + (report.load.empty() ? "" : ", load: " + report.load),
                 " class=\"title\"");
  svg += draw_legend(report) + draw_histograms(report, upper) + draw_seconds(report, lower);
  return svg + "</svg>\n";
}

}  // namespace utils::latmus
