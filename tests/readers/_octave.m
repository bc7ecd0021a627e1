% SPDX-License-Identifier: GPL-3.0-or-later
1;
function ok (number, name, good)
  if good, word = 'ok'; else word = 'not ok'; end
  printf ('%s %d - %s\n', word, number, name);
end
given = @(name) str2double (getenv (name));
f = getenv ('RESULT');
printf ('1..6\n');
s = load (f, 'time', 'subject', 'clonazepam_Cp', 'clonazepam_Cp_quantiles');
ok (1, 'Octave loads named variables', isfield (s, 'clonazepam_Cp') && isfield (s, 'clonazepam_Cp_quantiles'));
ok (2, 'Octave sees time, subject, arm', isequal (size (s.clonazepam_Cp), [given('TIMES'), given('SUBJECTS'), given('ARMS')]));
ok (3, 'Octave reads the value h5py reads', ...
    double (s.clonazepam_Cp(given ('CELL_TIME'), given ('CELL_SUBJECT'), given ('CELL_ARM'))) == given ('CELL'));
ok (4, 'Octave reads axes', s.time(1) == 0 && isequal (double (s.subject(1:2)(:)'), [1 2]));
s = load (getenv ('RECORDS'), 'records');
r = s.records;
ok (5, 'Octave loads records', numel (r.IPRED) == given ('N_RECORDS') && r.IPRED(given ('ROW')) == given ('ROW_IPRED') && ...
    double (r.ID(given ('ROW'))) == given ('ROW_ID'));
ok (6, 'Octave sees what is missing', isnan (r.AMT(given ('ROW_MISSING'))));
