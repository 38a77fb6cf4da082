package demo

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/internal/invariants"
	"github.com/pabal-dev/pabal/internal/traffic"
)

// flow lets the traffic flow for the duration, or until somebody interrupts.
func (s *session) flow(ctx context.Context) error {
	s.begun = time.Now()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		var all sync.WaitGroup
		for _, one := range s.scenarios {
			all.Go(func() { one.run(ctx, stop) })
		}
		all.Wait()
	}()
	err := s.watch(ctx)
	close(stop)
	<-ended
	return err
}

// watch shows what happens until the end of the flow.
func (s *session) watch(ctx context.Context) error {
	tick := time.NewTicker(s.view.interval())
	defer tick.Stop()
	var over <-chan time.Time
	if s.o.Duration > 0 {
		timer := time.NewTimer(s.o.Duration)
		defer timer.Stop()
		over = timer.C
	}
	s.first, _ = s.scenarios[0].first()
	for {
		select {
		case <-s.first:
			s.sayFirst()
		case <-tick.C:
			s.view.show(s.sample(ctx, "running"))
		case <-over:
			return nil
		case <-s.finish:
			return nil
		case err := <-s.runner.failed():
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// sayFirst says once how long a newcomer had to wait.
func (s *session) sayFirst() {
	s.first = nil
	_, text := s.scenarios[0].first()
	s.view.say("%s %.2f s after the start.\n", text, time.Since(s.started).Seconds())
}

func (s *session) sample(ctx context.Context, phase string) sample {
	now := sample{at: time.Now(), begun: s.begun, phase: phase, crashes: s.runner.crashes(), outbox: s.outbox(ctx)}
	var latency traffic.Histogram
	for _, one := range s.scenarios {
		p := one.progress()
		now.scenarios = append(now.scenarios, p)
		latency.Merge(p.latency)
	}
	now.p50, now.p99 = latency.Quantile(0.5), latency.Quantile(0.99)
	return now
}

// outbox is how many messages wait to be published, -1 where a database does
// not answer at once.
func (s *session) outbox(ctx context.Context) int64 {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	n, err := invariants.Unpublished(ctx, s.dbs.named()...)
	if err != nil {
		return -1
	}
	return n
}

// settle waits until every saga has ended, stops the services and counts.
func (s *session) settle(ctx context.Context) (*Report, error) {
	if err := s.drain(ctx); err != nil {
		return nil, err
	}
	crashes := s.runner.crashes()
	report := begunReport(s.o, s.sample(ctx, ""))
	stopping, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if err := s.stopServices(stopping); err != nil {
		return nil, fmt.Errorf("stop the services: %w", err)
	}
	for _, one := range s.scenarios {
		if err := one.report(ctx, report); err != nil {
			return nil, err
		}
	}
	report.Invariants = append(report.Invariants, crashes.result())
	return report, nil
}

// drain returns when nothing is under way any more, or when the time for that
// is over: what is left then is found by the invariants.
func (s *session) drain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.o.Drain)
	defer cancel()
	if err := s.runner.settle(bounded); err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	show := time.NewTicker(s.view.interval())
	defer show.Stop()
	for {
		select {
		case <-s.first:
			s.sayFirst()
		case <-look.C:
			settled, err := s.settled(bounded)
			if settled {
				return nil
			}
			if err != nil && bounded.Err() == nil {
				s.log.Warn("look whether the sagas have ended", "error", err)
			}
		case <-show.C:
			s.view.show(s.sample(bounded, "finishing"))
		case err := <-s.runner.failed():
			return err
		case <-bounded.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			s.view.say("Not everything ended within %s.\n", s.o.Drain)
			s.sayCapture()
			return nil
		}
	}
}

// settled says whether nothing is under way any more in any scenario.
func (s *session) settled(ctx context.Context) (bool, error) {
	for _, one := range s.scenarios {
		if settled, err := one.settled(ctx); err != nil || !settled {
			if s.capture != nil {
				s.capture.mark = 0
			}
			return false, err
		}
	}
	return s.logPublished(ctx)
}
