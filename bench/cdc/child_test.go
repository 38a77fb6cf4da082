//go:build linux

package cdc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

const parentVariable = "PABAL_BENCH_CHILD_OF"

// TestChildEndsWithUs, also where this program is killed.
func TestChildEndsWithUs(t *testing.T) {
	if os.Getenv(parentVariable) != "" {
		c, err := startChild(exec.Command("sleep", "600"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("child %d\n", c.cmd.Process.Pid)
		t.Fatal(c.wait())
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestChildEndsWithUs$")
	parent.Env = append(os.Environ(), parentVariable+"=test")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	pid := 0
	for pid == 0 && lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "child "); ok {
			pid, _ = strconv.Atoi(text)
		}
	}
	if pid == 0 {
		t.Fatal("there was no child")
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = parent.Wait()
	testenv.Wait(t, "the child's end", time.Minute, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil && syscall.Kill(pid, 0) == syscall.ESRCH || strings.Contains(string(stat), ") Z ")
	})
}
