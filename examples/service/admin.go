package service

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/lifecycle"
)

const adminPath = "/admin"

// mountAdmin lets people and consoles look into the service, where that is safe.
func (s *Service) mountAdmin(rt *Router) error {
	if !s.adminServed() {
		s.config.Logger.Warn("no /admin: the address is not loopback, which needs a token (--admin-token)", "address", s.Addr())
		return nil
	}
	local, err := admin.NewLocal(s.adminConfig())
	if err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(s.advertised())
	handler := admin.Handler(local, admin.HandlerConfig{Token: s.config.AdminToken, Hosts: []string{host}, Logger: s.config.Logger})
	rt.mux.Handle(adminPath+"/", http.StripPrefix(adminPath, handler))
	return nil
}

// adminServed: an open address needs a token.
func (s *Service) adminServed() bool { return s.config.AdminToken != "" || isLoopback(s.Addr()) }

func (s *Service) adminConfig() admin.LocalConfig {
	c := admin.LocalConfig{
		Name: s.def.Name, Instance: s.adminInstance(), Version: s.config.Version,
		Cluster: s.clusterID, Kafka: s.config.Kafka,
	}
	if s.relay != nil || s.sweeper != nil {
		c.Outbox = &admin.LocalOutbox{
			Name: s.def.Name, Source: s.source(), DeadLetterTopic: s.config.OutboxDeadLetters, Store: s.backend.database(),
			Topics: s.env.names(s.def.Produces),
		}
		if s.relay != nil {
			c.Outbox.Relay = s.relay
		} else {
			c.Outbox.Sweeper = s.sweeper
		}
	}
	for _, app := range s.parts.streams {
		c.Streams = append(c.Streams, app)
	}
	if s.consumer != nil {
		c.Consumers = append(c.Consumers, admin.LocalConsumer{
			Name: s.config.Group, Topics: s.env.names(s.def.Consumes), DeadLetterTopic: s.config.DeadLetters,
			Store: s.backend.database(), Runner: s.consumer, Answers: s.answers(),
		})
	}
	if len(s.parts.sagas) > 0 {
		c.Sagas = &admin.LocalSagas{Store: s.backend.database()}
		for _, one := range s.parts.sagas {
			c.Sagas.Operators = append(c.Sagas.Operators, one)
		}
	}
	if s.view != nil {
		c.Consumers = append(c.Consumers, admin.LocalConsumer{
			Name: s.viewGroup(), Topics: s.parts.view, DeadLetterTopic: s.viewGroup() + ".dead-letters",
			Store: s.backend.database(), Runner: s.view.consumer(),
		})
		c.Projections = s.view.projections()
	}
	return c
}

func (s *Service) answers() map[string][]string {
	all := map[string][]string{}
	for topic, answers := range s.def.Answers {
		all[s.env.Topic(topic)] = s.env.names(answers)
	}
	return all
}

// announcement tells consoles where /admin is, while it is there.
func (s *Service) announcement() step {
	var running lifecycle.Service
	return step{"announcement",
		func(ctx context.Context) error {
			if running = nil; !s.adminServed() {
				return nil
			}
			announcer, err := admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: s.config.Kafka, Logger: s.config.Logger, Announcement: admin.Announcement{
				Name: s.def.Name, Instance: s.adminInstance(), URL: "http://" + s.advertised() + adminPath, Version: s.config.Version,
			}})
			if err != nil {
				return err
			}
			running = announcer
			return announcer.Start(ctx)
		},
		func(ctx context.Context) error {
			if running == nil {
				return nil
			}
			return running.Stop(ctx)
		},
	}
}

// source is the CloudEvents source of the service's events.
func (s *Service) source() string { return "/" + s.def.System + "/" + s.def.Name }

// adminInstance names this process to people also where its name is not stable.
func (s *Service) adminInstance() string {
	host, _ := os.Hostname()
	return cmp.Or(s.instance(), host+"-"+s.Addr())
}

// advertised is the host:port at which others reach the service.
func (s *Service) advertised() string {
	if s.config.Advertise != "" {
		return s.config.Advertise
	}
	addr, err := netip.ParseAddrPort(s.Addr())
	if name, unnamed := os.Hostname(); err == nil && unnamed == nil && addr.Addr().IsUnspecified() {
		_, port, _ := net.SplitHostPort(s.Addr())
		return net.JoinHostPort(name, port)
	}
	return s.Addr()
}

func isLoopback(hostPort string) bool {
	addr, err := netip.ParseAddrPort(hostPort)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	return err == nil && host != "" && port != ""
}

// programVersion is the module's, "" where it was not built from a release.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}
