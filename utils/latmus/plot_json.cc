// SPDX-License-Identifier: MIT
// The report for programs.

#include "common/json.h"
#include "latmus/plots.h"

namespace utils::latmus {
namespace {

void write_record(JsonWriter* json, const Record& record) {
  json->begin_object().member("samples", record.samples);
  if (record.samples > 0) {
    json->member("min_ns", record.min_lat).member("max_ns", record.max_lat);
    json->member("avg_ns", static_cast<double>(record.sum_lat) / record.samples);
  }
  json->member("overruns", record.overruns).end_object();
}

void write_histogram(JsonWriter* json, const Run& run) {
  const Histogram& histogram = run.histogram;
  const auto first = histogram.first();
  json->begin_object().member("cell_ns", histogram.cell_ns()).member("cells", histogram.cells());
  json->member("first_cell", first.value_or(0));
  json->member("overflowed", histogram.overflowed(run.summary.max_ns()));
  json->name("counts").begin_array();
  for (uint32_t cell = first.value_or(0); first && cell <= *histogram.last(); ++cell) {
    json->value(histogram.count(cell));
  }
  json->end_array().end_object();
}

void write_run(JsonWriter* json, const Run& run) {
  const Summary& all = run.summary;
  json->begin_object().member("context", name_of(run.context)).member("cpu", run.cpu);
  json->member("isolated", run.isolated).name("priority");
  if (has_priority(run.context)) {
    json->value(run.priority);
  } else {
    json->null();
  }
  json->member("period_ns", run.period_ns).member("started", run.started);
  json->member("requested_s", run.requested_s).member("duration_s", run.duration_s);
  json->member("ending", name_of(run.ending)).member("samples", all.samples());
  if (!all.empty()) {
    json->member("min_ns", all.min_ns())
        .member("avg_ns", all.avg_ns())
        .member("max_ns", all.max_ns());
    json->member("p99_ns", run.histogram.quantile_ns(0.99, all.max_ns()));
    json->member("p999_ns", run.histogram.quantile_ns(0.999, all.max_ns()));
    json->member("peak_s", all.peak_second());
  }
  json->member("overruns", all.overruns()).member("inband_switches", run.inband_switches);
  json->member("c_states_restricted", run.c_states_restricted);
  json->name("seconds").begin_array();
  for (const Record& record : run.seconds) write_record(json, record);
  json->end_array().name("histogram");
  write_histogram(json, run);
  json->end_object();
}

}  // namespace

std::string json_text(const Report& report) {
  const Environment& environment = report.environment;
  JsonWriter json;
  json.begin_object().member("tool", "latmus").member("command", report.command);
  json.member("load", report.load).name("environment").begin_object();
  json.member("kernel", environment.kernel).member("command_line", environment.command_line);
  json.member("library", environment.library).member("gravity", environment.gravity);
  json.member("clocksource", environment.clocksource)
      .member("vdso_access", environment.vdso_access);
  json.member("load_average", environment.load_average).end_object();
  json.name("runs").begin_array();
  for (const Run& run : report.runs) write_run(&json, run);
  return json.end_array().end_object().text() + '\n';
}

}  // namespace utils::latmus
