//go:build unix && !linux

package testservers

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate gives cmd a process group of its own. This system has no signal for
// the death of a parent.
func isolate(cmd *exec.Cmd, _ syscall.Signal) { sysProcAttr(cmd).Setpgid = true }

// killAll kills the process and its group. PostgreSQL's backends notice by
// themselves that their postmaster is gone.
func killAll(root *os.Process) func() error {
	_ = signalGroup(root, syscall.SIGKILL)
	return func() error { return nil }
}
