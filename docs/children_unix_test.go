//go:build unix

package docs_test

import (
	"os/exec"
	"syscall"
)

// endWithChildren makes a script that takes too long end with all it started.
func endWithChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
