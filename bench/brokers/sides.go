package brokers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// The sides, each a process of its own.
const (
	ours      = "pabal"
	apache    = "kafka"
	kfake     = "kfake"
	jetStream = "nats"
)

// server is a broker's process; its address and its data stay over Restart.
type server interface {
	PID() int
	// Restart starts it, after Stop where it runs, and returns when it serves.
	Restart(ctx context.Context) error
	Stop() error
	Kill() error
	Close() error
}

// side is a broker with a client.
type side struct {
	name   string
	addr   string
	server server
	client client
	// profiler is where our broker takes profiles; "" where none are wanted.
	profiler string
}

// connect it anew, for after a restart.
func (s *side) connect() (err error) {
	if s.client != nil {
		s.client.close()
	}
	if s.name == jetStream {
		s.client, err = newNATSClient(s.addr)
		return err
	}
	s.client, err = newKafkaClient(s.addr)
	return err
}

func (s *side) close() error {
	if s.client != nil {
		s.client.close()
	}
	return s.server.Close()
}

// stage is the folder that the sides are in.
type stage struct {
	dir      string
	profiles string // folder for profiles of our broker; "" for none
	sides    []*side
}

func openStage(ctx context.Context, o options) (*stage, error) {
	dir, err := os.MkdirTemp(o.dir, "pabal-brokers-")
	if err != nil {
		return nil, err
	}
	s := &stage{dir: dir, profiles: o.profiles}
	return s, s.build(ctx, o.sides)
}

// build makes the programs, as they would be shipped.
func (s *stage) build(ctx context.Context, sides []string) error {
	for _, name := range sides {
		if name == apache {
			continue
		}
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", s.program(name), "github.com/pabal-dev/pabal/bench/brokers/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(fmt.Errorf("build %s: %w: %s", name, err, out), s.close())
		}
	}
	return nil
}

func (s *stage) program(name string) string { return filepath.Join(s.dir, "programs", name) }

func (s *stage) close() error {
	var all []error
	for _, side := range s.sides {
		all = append(all, side.close())
	}
	return errors.Join(append(all, os.RemoveAll(s.dir))...)
}

// Durabilities, by the names of our broker. Apache Kafka has no such setting: its fsync is one of
// topics, flush.messages.
const (
	pageCache = "os"
	onDisk    = "fsync"
)

// start a side with a folder of its own; args are further ones of our broker.
func (s *stage) start(ctx context.Context, name, durability string, args ...string) (*side, error) {
	side, err := s.prepare(name, durability, args...)
	if err != nil {
		return nil, err
	}
	s.sides = append(s.sides, side)
	if err := side.server.Restart(ctx); err != nil {
		return nil, err
	}
	return side, side.connect()
}

func (s *stage) prepare(name, durability string, args ...string) (*side, error) {
	dir := filepath.Join(s.dir, fmt.Sprintf("%s-%d", name, len(s.sides)))
	if name == apache {
		return s.prepareApache(dir)
	}
	side := &side{name: name}
	if name == ours && s.profiles != "" {
		addr, err := testservers.FreeAddr()
		if err != nil {
			return nil, err
		}
		side.profiler, args = addr, append(args, "-pprof", addr)
	}
	p, err := newProcess(s.program(name), dir, append(args, "-durability", durability)...)
	if err != nil {
		return nil, err
	}
	side.server, side.addr = p, p.addr
	return side, nil
}

// kafkaJVM is what Apache Kafka's own script starts it with.
const kafkaJVM = "-Xms1g -Xmx1g -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent"

func (s *stage) prepareApache(dir string) (*side, error) {
	const name = "PABAL_TEST_JVM"
	if os.Getenv(name) == "" {
		_ = os.Setenv(name, kafkaJVM)
		defer os.Unsetenv(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server, err := testservers.StartKafka(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("%w (scripts/install-test-servers gets it)", err)
	}
	return &side{name: apache, addr: server.Addr, server: &started{Server: server, fresh: true}}, nil
}

// started is a server that runs already when it is first asked to start.
type started struct {
	*testservers.Server
	fresh bool
}

func (s *started) Restart(ctx context.Context) error {
	if s.fresh {
		s.fresh = false
		return nil
	}
	return s.Server.Restart(ctx)
}

// find returns the side of a name.
func (s *stage) find(name string) *side {
	if i := slices.IndexFunc(s.sides, func(s *side) bool { return s.name == name }); i >= 0 {
		return s.sides[i]
	}
	return nil
}

// stretch is a piece of work that was measured.
type stretch struct {
	n         int
	took, cpu time.Duration
}

// perSecond is its pace.
func (s stretch) perSecond() float64 { return float64(s.n) / s.took.Seconds() }

// cpuEach is the broker's processor time for each, in seconds.
func (s stretch) cpuEach() float64 { return s.cpu.Seconds() / float64(s.n) }

// measure times do, which says how many things it did, and the processor time that the broker
// had meanwhile.
func (s *stage) measure(side *side, what string, do func() (int, error)) (m stretch, err error) {
	settle()
	stop, err := s.profile(side, what)
	if err != nil {
		return m, err
	}
	pid := side.server.PID()
	before, err := cpuOf(pid)
	if err != nil {
		return m, err
	}
	began := time.Now()
	if m.n, err = do(); err != nil {
		return m, fmt.Errorf("%s, %s: %w", side.name, what, err)
	}
	m.took = time.Since(began)
	after, err := cpuOf(pid)
	m.cpu = after - before
	return m, errors.Join(err, stop())
}

// profile our broker until stop.
func (s *stage) profile(side *side, what string) (stop func() error, err error) {
	if side.profiler == "" {
		return func() error { return nil }, nil
	}
	if err := fetch(side.profiler, "/profile/start", io.Discard); err != nil {
		return nil, err
	}
	return func() error {
		file, err := os.Create(filepath.Join(s.profiles, strings.ReplaceAll(what, " ", "-")+".pprof"))
		if err != nil {
			return err
		}
		return errors.Join(fetch(side.profiler, "/profile/stop", file), file.Close())
	}, nil
}

func fetch(addr, path string, to io.Writer) error {
	url := "http://" + addr + path
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(to, answer.Body)
	return err
}
