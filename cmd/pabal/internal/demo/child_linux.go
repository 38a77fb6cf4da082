package demo

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the child when this process is gone, also
// where that was killed itself.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
