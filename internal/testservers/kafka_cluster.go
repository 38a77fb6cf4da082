package testservers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// smallJVM is for one node of several on the machine of a test.
const smallJVM = "-Xms128m -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

// clusterSettings: every topic has three replicas, and a write is answered when
// two have it, so that one broker may be away.
const clusterSettings = `
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
unclean.leader.election.enable=false
replica.lag.time.max.ms=5000
`

// StartKafkaCluster starts an Apache Kafka of three nodes, each of them broker
// and controller, in temporary folders that Close removes. Each can be killed
// and restarted by itself. settings are further lines of server.properties of
// all. ctx bounds the start only.
func StartKafkaCluster(ctx context.Context, settings ...string) ([]*Server, error) {
	jars, err := FindKafka()
	if err != nil {
		return nil, err
	}
	java, err := FindJava()
	if err != nil {
		return nil, err
	}
	var nodes []*Server
	for range 3 { // another process may take a port between its choice and its use
		if nodes, err = startNodes(ctx, kafka{java: java, jars: jars, jvm: smallJVM}, settings); err == nil || ctx.Err() != nil {
			break
		}
	}
	return nodes, err
}

const clusterNodes = 3

func startNodes(ctx context.Context, template kafka, settings []string) (nodes []*Server, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(nodes))
			nodes = nil
		}
	}()
	var clients, controllers, voters []string
	for i := range clusterNodes {
		client, err := FreeAddr()
		if err != nil {
			return nil, err
		}
		controller, err := FreeAddr()
		if err != nil {
			return nil, err
		}
		clients, controllers = append(clients, client), append(controllers, controller)
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, controller))
	}
	id := newClusterID()
	for i := range clusterNodes {
		k := template
		if k.folder, err = makeFolder("", "kafka", nil); err != nil {
			return nodes, fmt.Errorf("prepare a folder for Kafka: %w", err)
		}
		nodes = append(nodes, k.node(clients[i]))
		own := []string{clusterSettings, fmt.Sprintf("node.id=%d", i+1), "controller.quorum.voters=" + strings.Join(voters, ",")}
		if err := k.configure(clients[i], controllers[i], append(own, settings...)); err != nil {
			return nodes, err
		}
		if err := k.format(ctx, id); err != nil {
			return nodes, err
		}
	}
	return nodes, launchAll(ctx, nodes)
}

// launchAll starts them at once: none is ready before most are there.
func launchAll(ctx context.Context, nodes []*Server) error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, s := range nodes {
		all.Go(func() { errs[i] = s.Restart(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func closeAll(nodes []*Server) error {
	var errs []error
	for _, s := range nodes {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
