//go:build unix

package testservers

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is a user that a server runs as; nil means the present one.
type account struct {
	name     string
	uid, gid int
}

// unprivileged returns the account for servers that refuse to run as root: nil
// where the present user is not root.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u)
		}
	}
	return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as")
}

func newAccount(u *user.User) (*account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, fmt.Errorf("user %s: id %q is not a number", u.Username, u.Uid)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, fmt.Errorf("user %s: group id %q is not a number", u.Username, u.Gid)
	}
	return &account{name: u.Username, uid: uid, gid: gid}, nil
}

// runAs makes cmd run as the account, which has to be able to enter cmd.Dir.
func (a *account) runAs(cmd *exec.Cmd) {
	if a != nil {
		sysProcAttr(cmd).Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// canEnter tells whether the account may pass through a folder.
func (a *account) canEnter(info os.FileInfo) bool {
	if a == nil {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case int(stat.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}

// sendSignal signals the server alone; its children are its own to end.
func sendSignal(p *os.Process, signal syscall.Signal) error { return p.Signal(signal) }

// signalGroup signals all processes of the group that p leads.
func signalGroup(p *os.Process, signal syscall.Signal) error {
	return syscall.Kill(-p.Pid, signal)
}

func sysProcAttr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}
