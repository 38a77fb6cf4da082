package cdc

import (
	"os/exec"
	"syscall"
)

// endWithUs lets the process end with the thread that starts it, however this program ends.
func endWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
