# SPDX-License-Identifier: GPL-3.0-or-later
# Where this machine gets Debian packages from, for scripts that make a Debian of their own (bash, to be sourced).

suite=${SUITE:-bookworm}

# The archives this machine uses for the suite and its updates, from its one-line and its deb822 sources, as one-line
# sources; nothing when it has none, and mmdebstrap then takes its own default.
sources() {
    {
        sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}//p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list
        awk -v RS= '{ uri = suites = ""
            n = split($0, lines, "\n")
            for (i = 1; i <= n; i++) {
                if (lines[i] ~ /^URIs:/) { split(lines[i], w, /[ \t]+/); uri = w[2] }
                if (lines[i] ~ /^Suites:/) { suites = lines[i]; sub(/^Suites:[ \t]*/, "", suites) }
            }
            m = split(suites, names, /[ \t]+/)
            for (i = 1; i <= m; i++) print uri, names[i] }' /etc/apt/sources.list.d/*.sources
    } 2>/dev/null | awk -v suite="$suite" '$2 == suite || $2 == suite "-updates" || $2 == suite "-security" {
        print "deb", $1, $2, "main" }' | sort -u || true
}

# How this machine's apt fetches: proxies, retries, whether dates are checked.
fetch_options() {
    apt-config dump --no-empty | grep -E '^Acquire::(http|https|ftp|Retries|ForceIPv|Check-)' || true
}

# Both, as arguments of mmdebstrap: options in `options`, sources in `archives`.
debian_arguments() {
    mapfile -t options < <(fetch_options | sed 's/^/--aptopt=/')
    mapfile -t archives < <(sources)
}
