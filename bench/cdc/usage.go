package cdc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// usage of a process so far.
type usage struct {
	cpu float64 // seconds, of all threads
	rss float64 // the most resident memory, in MB (10^6)
}

// ticks of /proc/PID/stat in a second: Linux's USER_HZ is 100 on all that Go runs on.
const ticks = 100

func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("CPU and memory are read from /proc, which is Linux's: %w", err)
	}
	// The second field is a name in brackets, which may have spaces.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system = 11, 12
	if len(fields) <= system {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	for _, field := range []int{user, system} {
		n, err := strconv.ParseFloat(fields[field], 64)
		if err != nil {
			return u, err
		}
		u.cpu += n / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(peak, &u.rss); err != nil {
		return u, fmt.Errorf("/proc/%d/status: VmHWM: %w", pid, err)
	}
	u.rss *= 1024 / million
	return u, nil
}
