package avro

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

//go:embed AvroBench.java
var program []byte

// java is Java's Avro library in a process of its own.
type java struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	folder string
}

// startJava hands it the events; it answers when it has read each, and written it as it was.
func startJava(ctx context.Context, e *events) (*java, error) {
	jars, err := testservers.FindConfluentJava()
	if err != nil {
		return nil, err
	}
	bin, err := testservers.FindJava()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "pabal-bench-avro-")
	if err != nil {
		return nil, err
	}
	j := &java{name: "Java's Avro of " + testservers.ConfluentJavaName(jars), folder: folder}
	source := filepath.Join(folder, "AvroBench.java")
	if err := os.WriteFile(source, program, 0o600); err != nil {
		return nil, errors.Join(err, j.stop())
	}
	j.cmd = exec.CommandContext(ctx, bin, "-cp", filepath.Join(jars, "*"), source)
	j.cmd.Stderr = os.Stderr
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		return nil, errors.Join(err, j.stop())
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, j.stop())
	}
	j.out = bufio.NewReader(out)
	if err = j.cmd.Start(); err == nil {
		err = j.load(e)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("Java's Avro: %w", err), j.stop())
	}
	return j, nil
}

func (j *java) load(e *events) error {
	w := bufio.NewWriter(j.in)
	for _, k := range e.kinds {
		fmt.Fprintf(w, "schema %s\n", k.schema())
		values, _ := k.bytes()
		for _, b := range values {
			fmt.Fprintf(w, "record %s\n", hex.EncodeToString(b))
		}
	}
	fmt.Fprintln(w, "loaded")
	if err := w.Flush(); err != nil {
		return err
	}
	line, err := j.out.ReadString('\n')
	if want := fmt.Sprintf("ready %d", e.count()); err == nil && strings.TrimSpace(line) != want {
		err = fmt.Errorf("it says %q, not %q", strings.TrimSpace(line), want)
	}
	return err
}

func (j *java) pace(what string) side {
	return func(pace time.Duration) (perSecond float64, err error) {
		if _, err := fmt.Fprintf(j.in, "%s %d\n", what, pace.Milliseconds()); err != nil {
			return 0, err
		}
		line, err := j.out.ReadString('\n')
		if err != nil {
			return 0, fmt.Errorf("Java's Avro has ended: %w", err)
		}
		_, err = fmt.Sscan(line, &perSecond)
		return perSecond, err
	}
}

func (j *java) stop() error {
	var err error
	if j.cmd != nil && j.cmd.Process != nil {
		err = j.in.Close()
		if ended := j.cmd.Wait(); err == nil {
			err = ended
		}
	}
	return errors.Join(err, os.RemoveAll(j.folder))
}
