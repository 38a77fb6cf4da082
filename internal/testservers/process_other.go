//go:build !unix

package testservers

import (
	"os"
	"os/exec"
	"syscall"
)

// account has no use here: the servers run as the present user.
type account struct {
	name     string
	uid, gid int
}

func unprivileged() (*account, error)             { return nil, nil }
func (a *account) runAs(*exec.Cmd)                {}
func (a *account) canEnter(info os.FileInfo) bool { return true }

func isolate(*exec.Cmd, syscall.Signal) {}

// sendSignal kills: this system has no other signal for a process without a
// console.
func sendSignal(p *os.Process, _ syscall.Signal) error { return p.Kill() }

func signalGroup(p *os.Process, _ syscall.Signal) error { return p.Kill() }

func killAll(root *os.Process) func() error {
	_ = root.Kill()
	return func() error { return nil }
}
