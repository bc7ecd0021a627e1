% SPDX-License-Identifier: GPL-3.0-or-later
% Opens a result in Octave and draws one output: median and 5-95 % band of each arm.
%
%     octave-cli scripts/readers/read_octave.m output/first.h5 clonazepam_Cp [figure.png]
%
% Octave sees the axes reversed: (time, quantile, arm). Name the variables to load: loading a whole file stops at the
% first text or group, and load() gives no attributes, so the unit is looked up elsewhere (ncdump -h, halflife summary).
% Drawing needs a graphics toolkit and a font (Debian: gnuplot-nox, fonts-freefont-otf).
words = argv ();
path = words{1};
name = words{2};
figure_file = 'figure.png';
if numel (words) > 2, figure_file = words{3}; end

s = load (path, 'time', 'quantile', [name '_quantiles']);
values = s.([name '_quantiles']);
[~, middle] = min (abs (s.quantile - 0.5));
colours = [0 0.45 0.70; 0.84 0.37 0; 0 0.62 0.45; 0.8 0.47 0.65; 0.9 0.6 0; 0.34 0.71 0.91];

figure ('visible', 'off');
hold on;
for arm = 1:size (values, 3)  % bands first: not every toolkit has transparency
  colour = colours(mod (arm - 1, rows (colours)) + 1, :);
  fill ([s.time(:); flipud(s.time(:))], [values(:, 1, arm); flipud(values(:, end, arm))], colour, ...
        'facealpha', 0.2, 'edgecolor', 'none');
end
lines = [];
for arm = 1:size (values, 3)
  colour = colours(mod (arm - 1, rows (colours)) + 1, :);
  lines(arm) = plot (s.time, values(:, middle, arm), 'color', colour, 'linewidth', 2);
end
legend (lines, arrayfun (@(arm) sprintf ('arm %d', arm - 1), 1:size (values, 3), 'uniformoutput', false));
xlabel ('time [h]');
ylabel ([strrep(name, '_', ' ') ' [unit: see ncdump -h]']);
title ('education and research, not for dosing');
print (figure_file, '-dpng', '-r150');
