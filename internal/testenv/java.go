package testenv

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// answerTimeout ends a program that does not answer, and so the test.
const answerTimeout = 90 * time.Second

// JavaPeer is a running Java program that takes requests of one line and answers each with
// a line.
type JavaPeer struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
	mu  sync.Mutex
}

// StartJava starts the class main of a folder (classes, lib) with further variables of the
// environment, waits until it says that it is ready and ends it with the test.
func StartJava(t testing.TB, folder, main string, variables ...string) *JavaPeer {
	t.Helper()
	return startJava(t, []string{filepath.Join(folder, "classes"), filepath.Join(folder, "lib", "*")}, main, variables)
}

// StartJavaSource is StartJava of a source file, with the jars of folders, which needs a JDK.
func StartJavaSource(t testing.TB, folders []string, source string, variables ...string) *JavaPeer {
	t.Helper()
	var jars []string
	for _, folder := range folders {
		jars = append(jars, filepath.Join(folder, "*"))
	}
	return startJava(t, jars, source, variables)
}

func startJava(t testing.TB, classPath []string, main string, variables []string) *JavaPeer {
	t.Helper()
	java, err := testservers.FindJava()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp",
		strings.Join(classPath, string(os.PathListSeparator)), main)
	cmd.Env = append(os.Environ(), variables...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &JavaPeer{in: in, out: bufio.NewReaderSize(out, 1<<20), cmd: cmd}
	t.Cleanup(func() { // it ends when its input does
		_ = in.Close()
		defer p.killLate()()
		_, _ = io.Copy(io.Discard, p.out)
		_ = cmd.Wait()
	})
	defer p.killLate()()
	if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%s began with %q and %v", main, line, err)
	}
	return p
}

// Ask sends a request, which has no end of line, and returns the answer's line.
func (p *JavaPeer) Ask(line []byte) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.killLate()()
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	got, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("the answer to %s: %w", line, err)
	}
	return got, nil
}

// killLate kills the program unless what is returned is called in time.
func (p *JavaPeer) killLate() func() {
	killer := time.AfterFunc(answerTimeout, func() { _ = p.cmd.Process.Kill() })
	return func() { killer.Stop() }
}
