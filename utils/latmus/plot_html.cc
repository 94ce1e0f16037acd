// SPDX-License-Identifier: MIT
// The report as one page: it loads nothing, and prints well.

#include "common/text.h"
#include "latmus/plots.h"

namespace utils::latmus {
namespace {

constexpr const char* kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>latmus: wake-up latency</title>\n<style>\n"
    "body{font:15px/1.5 system-ui,'DejaVu Sans',sans-serif;color:#222;background:#fff;"
    "max-width:960px;margin:2em auto;padding:0 1em}\n"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.35em .7em;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}\n"
    "th{border-bottom:2px solid #999}th:first-child,td:first-child{text-align:left}\n"
    ".facts th,.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere;"
    "border-bottom:1px solid #eee;font-weight:normal;vertical-align:top}\n"
    ".facts th{color:#666;white-space:nowrap;width:11em}\n"
    ".bad{color:#b00020;font-weight:600}\n"
    ".figures{font-size:13px;margin-bottom:1.5em}.figures th,.figures td{padding:.35em .5em}\n"
    "caption{text-align:left;color:#666;padding-bottom:.3em}\n"
    "svg{width:100%;height:auto}.scroll{overflow-x:auto}\n"
    "</style>\n</head>\n<body>\n";

std::string cell(const std::string& text, bool bad = false) {
  return format(bad ? "<td class=\"bad\">%s</td>" : "<td>%s</td>", escape_xml(text).c_str());
}

std::string row_of(const Run& run) {
  const Summary& all = run.summary;
  std::string row = "<tr>" + cell(name_of(run.context)) +
                    cell(format("%d%s", run.cpu, run.isolated ? " (isolated)" : "")) +
                    cell(has_priority(run.context) ? format("%d", run.priority) : "-") +
                    cell(format("%lld", static_cast<long long>(run.period_ns / 1000))) +
                    cell(format("%lld", static_cast<long long>(all.samples())));
  if (all.empty()) {
    for (int column = 0; column < 5; ++column) row += cell("-");
  } else {
    const auto quantile = [&](double share) {
      return in_us(static_cast<double>(run.histogram.quantile_ns(share, all.max_ns())));
    };
    row += cell(in_us(all.min_ns())) + cell(in_us(all.avg_ns())) + cell(quantile(0.99)) +
           cell(quantile(0.999)) + cell(in_us(all.max_ns()));
  }
  row += cell(format("%lld", static_cast<long long>(all.overruns())), all.overruns() > 0);
  row += cell(format("%u", run.inband_switches), run.inband_switches > 0);
  const bool bad = run.ending != Ending::timeout && run.ending != Ending::interrupted;
  return row + cell(clock_time(run.duration_s)) + cell(name_of(run.ending), bad) + "</tr>\n";
}

std::string fact(const char* name, const std::string& value) {
  if (value.empty()) return {};
  return format("<tr><th>%s</th><td>%s</td></tr>\n", name, escape_xml(value).c_str());
}

std::string date_text(const Report& report) {
  if (report.runs.empty()) return {};
  char text[64];
  tm utc{};
  const time_t when = report.runs.front().started;
  gmtime_r(&when, &utc);
  return strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc) > 0 ? text : "";
}

}  // namespace

std::string html_text(const Report& report) {
  const Environment& environment = report.environment;
  std::string page = kHead;
  page +=
      "<h1>Wake-up latency</h1>\n<div class=\"scroll\">\n<table class=\"figures\">\n"
      "<caption>Latencies in microseconds</caption>\n"
      "<tr><th>context</th><th>CPU</th><th>priority</th><th>period</th><th>samples</th><th>min</th>"
      "<th>avg</th><th>p99</th><th>p99.9</th><th>max</th><th>overruns</th><th>in-band<br>switches</"
      "th>"
      "<th>duration</th><th>ended by</th></tr>\n";
  for (const Run& run : report.runs) page += row_of(run);
  page += "</table>\n</div>\n" + svg_text(report);
  page += "<h2>Measured on</h2>\n<table class=\"facts\">\n";
  page +=
      fact("kernel", environment.kernel) + fact("kernel command line", environment.command_line);
  page += fact("load", report.load) + fact("load averages", environment.load_average);
  page += fact("clock gravity", environment.gravity) + fact("clocksource", environment.clocksource);
  page += fact("vDSO clock access", environment.vdso_access) + fact("library", environment.library);
  page += fact("started", date_text(report)) + fact("command", report.command);
  for (const Run& run : report.runs) {
    if (run.c_states_restricted) {
      page += fact("C-states", "restricted while measuring");
      break;
    }
  }
  page += "</table>\n<p>Histogram: a cell is ";
  page +=
      format("%u ns wide; it counts absolute values, and the last one everything above it.</p>\n",
             report.runs.empty() ? 0 : report.runs.front().histogram.cell_ns());
  return page + "</body>\n</html>\n";
}

}  // namespace utils::latmus
