package brokers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endWithUs lets the process end with the thread that starts it, however this program ends.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// cpuOf is the processor time that all threads of a process have had so far, to the nanosecond:
// /proc/PID/stat has ticks of 10 ms.
func cpuOf(pid int) (time.Duration, error) {
	const schedulers = 2 // CPUCLOCK_SCHED of a process, as clock_getcpuclockid(3) makes it
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulers), &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// memory of a process in MB (10^6).
type memory struct {
	now  float64 // resident
	peak float64 // the most that was
	own  float64 // what of now is not pages of files
}

func memoryOf(pid int) (m memory, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, err
	}
	for name, to := range map[string]*float64{"VmRSS:": &m.now, "VmHWM:": &m.peak, "RssAnon:": &m.own} {
		_, text, _ := strings.Cut(string(status), name)
		if _, err := fmt.Sscan(text, to); err != nil {
			return m, fmt.Errorf("/proc/%d/status: %s %w", pid, name, err)
		}
		*to *= 1024 / 1e6
	}
	return m, nil
}

// settle writes what is in the page cache to the disk, so that nobody's measurement has what
// others left.
func settle() { unix.Sync() }

// dropCaches has files read from the disk again; only root may.
func dropCaches() error {
	settle()
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("1"), 0)
}
