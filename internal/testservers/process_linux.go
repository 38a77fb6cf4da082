package testservers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func isolate(cmd *exec.Cmd, deathSignal syscall.Signal) {
	attr := sysProcAttr(cmd)
	attr.Setpgid = true
	attr.Pdeathsig = deathSignal
}

// killAll kills the process with all of its descendants; PostgreSQL's backends
// are no members of its process group, and one that outlived the crash could
// still commit. The root is halted first, so that it starts and reaps nothing
// while the list is made. The returned function waits for the descendants.
func killAll(root *os.Process) func() error {
	_ = root.Signal(syscall.SIGSTOP)
	children := descendants(root.Pid)
	_ = root.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return func() error { return awaitGone(children, stopTimeout) }
}

// descendants lists the processes below root, from /proc.
func descendants(root int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		if _, parent, err := procStat(pid); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	var all []int
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		all = append(all, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

// procStat reads the state and the parent from /proc/PID/stat, whose second
// field is a name in brackets that may itself hold brackets and spaces.
func procStat(pid int) (state byte, parent int, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("/proc/%d/stat: unexpected form", pid)
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err
}

// awaitGone waits until each process has ended; a zombie has, it only waits for
// whoever adopted it.
func awaitGone(pids []int, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		pids = slices.DeleteFunc(pids, func(pid int) bool {
			state, _, err := procStat(pid)
			return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) || state == 'Z' || state == 'X'
		})
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("child processes %v still run %s after SIGKILL", pids, timeout)
		}
		<-tick.C
	}
}
