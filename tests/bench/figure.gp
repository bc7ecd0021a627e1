# SPDX-License-Identifier: GPL-3.0-or-later
# The figure of `make bench`: seconds per patient of every contestant, and the engine's time against the number of
# patients. Reads workloads.csv and scaling.csv where it stands; leaves bench.png.
set terminal pngcairo size 1500, 600 font "DejaVu Sans,11" noenhanced
set output "bench.png"
set datafile separator ","
set multiplot layout 1, 2

set title "Time per patient, one thread" font ",13"
set ylabel "ms per patient (median, lowest to highest)"
set logscale y
set format y "%g"
set grid y lc rgb "#dddddd"
set xrange [0.5:4.5]
set xtics ("W1" 1, "W2" 2, "W3" 3, "W4" 4)
set key outside bottom center horizontal maxcols 3
# Rows of one method on one thread, as: number of the workload, milliseconds per patient.
rows(m) = sprintf("< awk -F, -v m='%s' -v OFS=, '$2 == m && $3 == 1 {w = substr($1, 2); ", m) \
          . "print w, 1e3*$6/$4, 1e3*$7/$4, 1e3*$8/$4}' workloads.csv"
plot rows("matrix exponential") using ($1-0.25):2:3:4 with yerrorbars pt 5 lc rgb "#1b6ca8" \
         title "matrix exponential", \
     rows("GSL rk8pd 1e-6") using ($1-0.15):2:3:4 with yerrorbars pt 7 lc rgb "#e0913a" title "GSL rk8pd 1e-6", \
     rows("GSL rk8pd 1e-8") using ($1-0.05):2:3:4 with yerrorbars pt 9 lc rgb "#c0572b" title "GSL rk8pd 1e-8", \
     rows("GSL msbdf 1e-6") using ($1+0.05):2:3:4 with yerrorbars pt 11 lc rgb "#8a8a8a" title "GSL msbdf 1e-6", \
     rows("CVODE BDF 1e-6") using ($1+0.15):2:3:4 with yerrorbars pt 13 lc rgb "#555555" title "CVODE BDF 1e-6", \
     rows("engine") using ($1+0.25):2:3:4 with yerrorbars pt 5 ps 1.4 lc rgb "#1f8a4c" title "engine"

set title "Engine, solving only, one thread" font ",13"
set ylabel "s (median, lowest to highest)"
set xlabel "patients"
set logscale x
set xrange [0.7:2e6]
set xtics auto
set format x "%g"
size(w) = sprintf("< grep '^patients,%s,' scaling.csv", w)
plot for [i=1:4] size(sprintf("W%d", i)) using 3:4:5:6 with yerrorlines pt 6+i lw 1.5 \
     lc rgb word("#1b6ca8 #e0913a #1f8a4c #8a3ab9", i) title sprintf("W%d", i)
unset multiplot
