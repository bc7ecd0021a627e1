# SPDX-License-Identifier: GPL-3.0-or-later
# What the figures of tapers take for the course of an arm; loaded after common.gp, with `of` set; not a figure itself.
# Days count from day 0 of the taper where the file says when that was (taper_day_0, in h), so that none is half of one
# level and half of another; else from the study's start. zero: that hour, or NaN; phase: the hour at which days begin.
zero = attribute('/', 'taper_day_0') eq '' ? NaN : attribute('/', 'taper_day_0') + 0.0
phase = zero == zero ? zero - 24*floor(zero/24 + 1e-9) : 0.0
# The drug that goes down. An index of several lasts as long as any of them is given; amounts are those of the first.
mine = attribute('/', 'taper_drug') eq '' || has('design/'.drug(of).'_taken') ? given_drug(of) : attribute('/', 'taper_drug')
but(list, name, i) = i > words(list) ? '' : (word(list, i) eq name ? '' : word(list, i).' ').but(list, name, i + 1)
others = mine eq drug(of) || attribute('/', 'taper_drug') ne '' ? '' : but(given, mine, 1)
# Days, amount and whether subjects differ, from the first lower dose on (common.gp).
since = sprintf('-v phase=%.15g ', phase).(zero == zero ? sprintf('-v begins=%d ', int(floor((zero - phase)/24 + 1e-9))) : '').'-v also='.shell_quote(others)
