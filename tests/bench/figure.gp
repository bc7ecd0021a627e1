# SPDX-License-Identifier: GPL-3.0-or-later
# The figure of `make bench`: time per patient of every contestant; how the engine's time grows with patients, and with
# arms, doses and outputs; what a second thread brings. Reads the tables where it stands; leaves bench.png.
set terminal pngcairo size 1500, 1100 font "DejaVu Sans,11" noenhanced
set output "bench.png"
set datafile separator ","
set multiplot layout 2, 2 margins 0.065, 0.98, 0.065, 0.95 spacing 0.085, 0.115
set border 3
set style data boxerrorbars
set tics nomirror
set grid ytics lc rgb "#dddddd"
blue = 0x1b6ca8; orange = 0xe0913a; red = 0xc0572b; grey = 0x8a8a8a; dark = 0x444444; green = 0x1f8a4c
violet = 0x8a3ab9; light = 0x8fc9a3

# One thread's rows of the method that begins like m, as: number of the workload, ms per patient, lowest, highest. The
# first such row of a workload counts.
rows(m) = sprintf("< awk -F, -v m='%s' -v OFS=, 'index($2, m) == 1 && $3 == 1 && !seen[$1]++ ", m) \
          . "{w = substr($1, 2); print w, 1e3*$6/$4, 1e3*$7/$4, 1e3*$8/$4}' workloads.csv"
exactly(m) = sprintf("< awk -F, -v m='%s' -v OFS=, '$2 == m && $3 == 1 ", m) \
          . "{w = substr($1, 2); print w, 1e3*$6/$4, 1e3*$7/$4, 1e3*$8/$4}' workloads.csv"

set title "Time per patient, one thread" font ",13"
set ylabel "ms per patient (median, lowest to highest)"
set logscale y
set format y "%g"
set xrange [0.4:5.6]
set yrange [1e-4:1e4]
set xtics ("W1" 1, "W2" 2, "W3" 3, "W4" 4, "W5" 5) scale 0
set key top left Left reverse maxrows 3 samplen 1.5 width -1
width = 0.09
set style fill solid 0.9 noborder
set errorbars 0.4
plot exactly("matrix exponential") using ($1-0.35):2:3:4:(width) lc rgb blue title "matrix exponential", \
     exactly("GSL rk8pd 1e-06") using ($1-0.25):2:3:4:(width) lc rgb orange title "GSL rk8pd 1e-6", \
     exactly("GSL rk8pd 1e-08") using ($1-0.15):2:3:4:(width) lc rgb red title "GSL rk8pd 1e-8", \
     rows("GSL msbdf") using ($1-0.05):2:3:4:(width) lc rgb grey title "GSL msbdf", \
     rows("CVODE") using ($1+0.05):2:3:4:(width) lc rgb dark title "CVODE BDF", \
     exactly("gsl-rk8pd") using ($1+0.05):2:3:4:(width) lc rgb violet title "engine's own rk8pd", \
     exactly("engine") using ($1+0.15):2:3:4:(width) lc rgb green title "engine", \
     exactly("engine with metrics") using ($1+0.25):2:3:4:(width) lc rgb light title "engine with metrics"

set title "Growth with patients, solving only, one thread" font ",13"
set ylabel "s (median and where it lies)"
set xlabel "patients"
set logscale x
set xrange [0.7:2e6]
set yrange [*:*]
set xtics auto scale 1
set mxtics 10
set format x "%g"
set grid xtics ytics lc rgb "#dddddd"
set key bottom right Left reverse maxrows 5 samplen 2 width 0
size(w) = sprintf("< grep '^patients,%s,' scaling.csv", w)
plot for [i=1:5] size(sprintf("W%d", i)) using 3:4:5:6 with yerrorlines pt 4+i lw 1.5 \
     lc rgb word("#1b6ca8 #e0913a #1f8a4c #8a3ab9 #444444", i) title sprintf("W%d", i)

set title "Growth with arms, doses and outputs, 256 patients each" font ",13"
set xlabel "how many"
set xrange [0.7:2e4]
set yrange [*:20]
set key top left Left reverse maxrows 3 samplen 2 width 0
growth(what, w) = sprintf("< grep '^%s,%s,' scaling.csv", what, w)
plot for [i=1:3] growth(word("arms doses outputs", i), "W1") using 3:4:5:6 with yerrorlines pt 5 lw 1.5 \
     lc rgb word("#1b6ca8 #e0913a #1f8a4c", i) title "W1 " . word("arms doses outputs", i), \
     for [i=1:3] growth(word("arms doses outputs", i), "W3") using 3:4:5:6 with yerrorlines pt 4 dt 2 lw 1.5 \
     lc rgb word("#1b6ca8 #e0913a #1f8a4c", i) title "W3 " . word("arms doses outputs", i)

set title "Two threads against one" font ",13"
unset logscale
set ylabel "times faster (median and where it lies)"
unset xlabel
set xrange [-0.6:5.6]
set yrange [0:2.9]
set format y "%g"
unset mxtics
set grid noxtics ytics lc rgb "#dddddd"
set xtics scale 0
set key top left Left reverse horizontal
width = 0.3
plot "threads.csv" skip 1 using ($0-0.17):2:3:4:(width):xtic(1) lc rgb green title "engine", \
     "threads.csv" skip 1 using ($0+0.17):5:6:7:(width) lc rgb grey title "a loop that only computes"
unset multiplot
