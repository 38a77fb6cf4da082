package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/embedded"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/interrupt"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/schemas"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/webconsole"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/kafka"
)

// session is one demo: what it holds is taken in the order of the fields and
// given back in reverse.
type session struct {
	o       Options
	started time.Time
	finish  <-chan struct{} // closed when the demo shall end
	view    *view

	addresses addresses
	folder    *folder
	logPath   string
	log       *slog.Logger
	cluster   kafka.Config
	broker    *children           // has the broker, where that is a child; else nil
	reporter  embedded.Reporter   // the broker where it is in this process; else nil
	console   *webconsole.Running // nil without one
	registry  *schemas.Server     // nil where no service has schemas
	services  []settings
	runner    runner
	dbs       *databases
	capture   *capture     // nil where relays publish
	redis     *redisServer // nil where no scenario uses one
	scenarios []scenario
	begun     time.Time       // of the traffic
	first     <-chan struct{} // closed at the first success; nil once that was said

	undo []func(context.Context) error
	// made says that something of this run is on the cluster or in the database.
	made bool
}

// onClose has something done at the end; the last one first.
func (s *session) onClose(do func(context.Context) error) { s.undo = append(s.undo, do) }

// start checks everything that can be checked before it starts anything.
func (s *session) start(ctx context.Context) error {
	ctx, stop := interrupt.Bound(ctx, startTimeout, s.finish)
	defer stop()
	for _, step := range []func(context.Context) error{
		s.takeAddresses, s.takeFolder, s.startBroker, s.startRegistry, s.startRedis, s.checkDatabases, s.startCapture, s.startServices,
		s.startTraffic, s.startConsole,
	} {
		if err := step(ctx); err != nil {
			if s.finishing() {
				return fmt.Errorf("%w while starting", ErrAborted)
			}
			return err
		}
	}
	return nil
}

func (s *session) finishing() bool {
	select {
	case <-s.finish:
		return true
	default:
		return false
	}
}

func (s *session) takeAddresses(context.Context) (err error) {
	s.addresses, err = chooseAddresses(s.o)
	return err
}

func (s *session) takeFolder(context.Context) error {
	f, err := openFolder(s.o)
	if err != nil {
		return err
	}
	s.folder = f
	if s.logPath, err = f.file("logs", "demo.log"); err != nil {
		return err
	}
	file, err := openLog(s.logPath)
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return file.Close() })
	s.log = newLogger(file, s.o.LogLevel)
	return nil
}

func (s *session) startRedis(ctx context.Context) (err error) {
	if !s.o.usesRedis() {
		return nil
	}
	if s.redis, err = startRedis(ctx, s.o); err != nil {
		return err
	}
	s.onClose(s.redis.close)
	return nil
}

// checkDatabases opens them, so that a wrong password is known before a
// service is started.
func (s *session) checkDatabases(ctx context.Context) (err error) {
	for _, d := range s.o.services() {
		database, schema, err := place(s.o, s.folder, d)
		if err != nil {
			return err
		}
		one := settings{
			System: d.System, Name: d.Name, Listen: s.addresses.services[d.Name], Database: database, Schema: schema,
			Brokers: s.cluster.Brokers, Prefix: s.cluster.Prefix, LogLevel: s.o.LogLevel,
			Outbox: s.o.outboxName(), Slot: slotOf(s.folder.manifest.Run), Codec: s.o.codecOf(d), Registry: s.registryURL(),
		}
		if s.redis != nil {
			one.Redis, one.Sync = s.redis.url, syncOf(s.folder.manifest.Run)
		}
		if one.StateDir, err = s.folder.file("stores", d.Name); err != nil {
			return err
		}
		s.services = append(s.services, one)
	}
	if s.dbs, err = openDatabases(ctx, s.services, s.o.postgres(), s.log); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.dbs.close() })
	s.made = true
	return s.folder.begin()
}

func (s *session) startServices(ctx context.Context) error {
	if s.o.Chaos {
		all, err := newChildren(s.services, s.o.Self, s.childLog, s.o.Seed, s.log)
		if err != nil {
			return err
		}
		if err := s.startRunner(ctx, all); err != nil {
			return err
		}
		all.disturb(ctx, s.broker)
		return nil
	}
	all, err := newInProcess(s.services, s.log)
	if err != nil {
		return err
	}
	return s.startRunner(ctx, all)
}

func (s *session) startRunner(ctx context.Context, r runner) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	s.runner = r
	s.onClose(s.stopServices)
	return nil
}

// stopServices may be called twice.
func (s *session) stopServices(ctx context.Context) error {
	if s.runner == nil {
		return nil
	}
	err := s.runner.stop(ctx)
	s.runner = nil
	return err
}

// startTraffic prepares it; it flows later.
func (s *session) startTraffic(ctx context.Context) error {
	all := s.o.chosen()
	on := stage{
		cluster: s.cluster, registry: s.registryURL(), folder: s.folder, dbs: s.dbs, redis: s.redis, at: s.addresses.services, begun: s.started, seed: s.o.Seed,
		rate: s.o.Rate / float64(len(all)), maxOpen: max(1, s.o.MaxOpen/len(all)),
	}
	for _, each := range all {
		one := each.make()
		s.onClose(func(context.Context) error { return one.close() })
		if err := one.prepare(ctx, on); err != nil {
			return err
		}
		s.scenarios = append(s.scenarios, one)
	}
	return nil
}

// startConsole begins with an empty index, in memory: the demo is what it shows.
func (s *session) startConsole(ctx context.Context) (err error) {
	if s.o.NoConsole {
		return nil
	}
	c := console.Config{Kafka: s.cluster, Listen: s.addresses.console, Version: s.o.Version, Logger: s.log}
	if s.reporter != nil {
		c.Broker = embedded.View{Broker: s.reporter}
	}
	if s.console, err = webconsole.Start(ctx, c); err != nil {
		return err
	}
	s.onClose(s.stopConsole)
	return nil
}

// stopConsole may be called twice.
func (s *session) stopConsole(ctx context.Context) error {
	if s.console == nil {
		return nil
	}
	err := s.console.Stop(ctx)
	s.console = nil
	return err
}

const closeTimeout = 30 * time.Second

// close gives everything back. What the run made is dropped when it went well
// or never came to traffic, else kept and named.
func (s *session) close(failed error) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.folder == nil {
		return nil
	}
	flowed := !s.begun.IsZero()
	remove := s.folder.temporary && failed == nil || (s.folder.temporary || s.folder.made) && !flowed
	if flowed && errors.Is(failed, ErrAborted) {
		cancel() // at once
	}
	var errs []error
	if remove {
		errs = append(errs, s.drop(ctx))
	}
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i](ctx))
	}
	errs = append(errs, s.folder.close(remove))
	if failed != nil && flowed {
		s.nameLeftovers()
	}
	return errors.Join(errs...)
}

// drop removes schemas, topics and groups.
func (s *session) drop(ctx context.Context) error {
	if !s.made {
		return nil
	}
	err := errors.Join(s.stopConsole(ctx), s.stopServices(ctx))
	if s.redis != nil {
		err = errors.Join(err, s.redis.drop(ctx, s.folder.manifest.Run, s.log))
	}
	if s.o.postgres() {
		err = errors.Join(err, s.stopCapture(ctx), s.dbs.dropSchemas(ctx, s.services))
	}
	if !s.o.embedded() {
		err = errors.Join(err, removeFromCluster(ctx, s.cluster))
	}
	return err
}

// nameLeftovers says what is kept for a look.
func (s *session) nameLeftovers() {
	if !s.folder.temporary {
		return
	}
	s.view.say("\nKept for a look: %s", s.folder.path)
	if s.o.postgres() {
		s.view.say(", the schemas pabal_demo_%s_*", s.folder.manifest.Run)
	}
	if !s.o.embedded() {
		s.view.say(", the topics and groups %s*", s.cluster.Prefix)
	}
	s.view.say("\n")
}
