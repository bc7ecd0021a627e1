% SPDX-License-Identifier: GPL-3.0-or-later
function read_matlab(path, name)
%READ_MATLAB Opens a result and draws one output: median and 5-95 % band of each arm.
%
%   read_matlab('output/first.h5', 'clonazepam_Cp')
%
% MATLAB sees the axes reversed: (time, subject, arm), (time, quantile, arm).
dataset = ['/' name '_quantiles'];
time = h5read(path, '/time');
quantile = h5read(path, '/quantile');
arms = h5read(path, '/arm_name');
values = h5read(path, dataset);
unit = h5readatt(path, dataset, 'units');
[~, middle] = min(abs(quantile - 0.5));

figure;
hold on;
lines = gobjects(1, size(values, 3));
for arm = 1:size(values, 3)
    lines(arm) = plot(time, values(:, middle, arm), 'LineWidth', 2);
    fill([time; flipud(time)], [values(:, 1, arm); flipud(values(:, end, arm))], lines(arm).Color, ...
        'FaceAlpha', 0.2, 'EdgeColor', 'none');
end
xlabel('time [h]');
ylabel(sprintf('%s [%s]', strrep(name, '_', ' '), char(unit)));
title({char(h5readatt(path, '/', 'title')), 'education and research, not for dosing'}, 'FontSize', 9);
legend(lines, cellstr(arms));
end
