package cdc

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// worker is a process that runs connectors.
type worker struct {
	url    string // of its REST API
	pid    int
	broker string
	prefix string // of its topics
	// settings are added to those of each connector.
	settings map[string]string
	stop     func() error
}

// ourPrefix keeps our worker from being one of Kafka Connect's group, with its topics.
const ourPrefix = "ours."

// startPabal runs "pabal up" with connectors and without a console.
func startPabal(ctx context.Context, program, kafka string) (*worker, error) {
	cmd := exec.CommandContext(ctx, program, "up", "--kafka", kafka, "--kafka-prefix", ourPrefix, "--console", "off", "--connect", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "PABAL_LOG_LEVEL=WARN")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	out, said := io.Pipe() // Wait closes a pipe of its own before all is read
	cmd.Stdout = said
	c, err := startChild(cmd)
	if err != nil {
		return nil, err
	}
	go func() {
		<-c.ended
		said.Close()
	}()
	w := &worker{pid: cmd.Process.Pid, broker: kafka, prefix: ourPrefix}
	lines := bufio.NewScanner(out)
	for w.url == "" && lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "connect" {
			w.url = strings.TrimSuffix(fields[1], "/connectors")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // what it says later must not hold it up
	w.stop = func() error { return errors.Join(cmd.Process.Signal(os.Interrupt), c.wait()) }
	if w.url == "" {
		return nil, errors.Join(errors.New("pabal up did not say where its REST API is"), cmd.Process.Kill(), c.wait())
	}
	return w, nil
}
