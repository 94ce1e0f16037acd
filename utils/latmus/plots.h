// SPDX-License-Identifier: MIT
// A report in the forms it leaves the tool: for gnuplot, for a terminal, for programs, as a
// picture, as a page.
#ifndef UTILS_LATMUS_PLOTS_H
#define UTILS_LATMUS_PLOTS_H

#include <string>

#include "latmus/report.h"

namespace utils::latmus {

/// Comment lines, then "<cell> <count>" from the first to the last cell that is not empty. The unit
/// of the cells is their width, 1 us if nobody asked for another. Empty without samples.
[[nodiscard]] std::string gnuplot_text(const Report& report, const Run& run);

/// Bars, as long as the logarithm of the counts. At most `rows` lines: cells are put together.
[[nodiscard]] std::string terminal_chart(const Run& run, int rows = 24, int width = 60);

[[nodiscard]] std::string json_text(const Report& report);

/// A picture on its own: the histograms, and the worst sample of each second over time.
[[nodiscard]] std::string svg_text(const Report& report);

/// One page that needs nothing else: the picture, the figures, settings, kernel, load.
[[nodiscard]] std::string html_text(const Report& report);

}  // namespace utils::latmus

#endif  // UTILS_LATMUS_PLOTS_H
