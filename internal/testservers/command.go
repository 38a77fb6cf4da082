package testservers

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Run runs a command with the variables of env added to this process's own, in
// a process group of its own, and returns its exit code; 128 + n where signal n
// ended it. Signals that arrive meanwhile are passed on to the whole group;
// what does not end within grace after one is killed.
func Run(args, env []string, signals <-chan os.Signal, grace time.Duration) (int, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), env...)
	p, err := startProcess(cmd, syscall.SIGINT)
	if err != nil {
		return 0, err
	}
	var kill <-chan time.Time
	for {
		select {
		case <-p.done:
			// The command may have left children behind.
			_ = signalGroup(cmd.Process, syscall.SIGKILL)
			return exitCode(p.err)
		case s := <-signals:
			if sig, ok := s.(syscall.Signal); ok {
				_ = signalGroup(cmd.Process, sig)
			}
			if kill == nil {
				kill = time.After(grace)
			}
		case <-kill:
			_ = signalGroup(cmd.Process, syscall.SIGKILL)
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
