package server

import (
	"context"

	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// call is one request of a connection.
type call struct {
	ctx   context.Context
	conn  *wire.Conn
	reply func(wire.Answer)
}

// handler answers requests of one kind.
type handler struct {
	min, max int16
	serve    func(*Server, call, kmsg.Request)
}

// on makes a handler of versions min to max.
func on[R kmsg.Request](min, max int16, serve func(*Server, call, R)) handler {
	return handler{min, max, func(s *Server, c call, req kmsg.Request) { serve(s, c, req.(R)) }}
}

// handlers are all requests that are served, with the versions whose every field is
// heeded. Left out are what brokers say to each other, the group protocol of KIP-848 and
// share groups, quotas (but that there are none), delegation tokens and telemetry; clients
// go on without.
var handlers map[int16]handler

func init() { // handlers refer to themselves, through Server
	handlers = map[int16]handler{
		int16(kmsg.Produce):              on(3, 13, (*Server).produce),
		int16(kmsg.Fetch):                on(4, 17, (*Server).fetch),
		int16(kmsg.ListOffsets):          on(1, 10, (*Server).listOffsets),
		int16(kmsg.OffsetForLeaderEpoch): on(2, 4, (*Server).offsetForLeaderEpoch),
		int16(kmsg.DeleteRecords):        on(0, 2, (*Server).deleteRecords),

		int16(kmsg.Metadata):                on(0, 13, (*Server).metadata),
		int16(kmsg.DescribeCluster):         on(0, 2, (*Server).describeCluster),
		int16(kmsg.DescribeTopicPartitions): on(0, 0, (*Server).describeTopicPartitions),
		int16(kmsg.FindCoordinator):         on(0, 6, (*Server).findCoordinator),

		int16(kmsg.OffsetCommit):   on(2, 9, (*Server).offsetCommit),
		int16(kmsg.OffsetFetch):    on(1, 9, (*Server).offsetFetch),
		int16(kmsg.OffsetDelete):   on(0, 0, (*Server).offsetDelete),
		int16(kmsg.JoinGroup):      on(0, 9, (*Server).joinGroup),
		int16(kmsg.SyncGroup):      on(0, 5, (*Server).syncGroup),
		int16(kmsg.Heartbeat):      on(0, 4, (*Server).heartbeat),
		int16(kmsg.LeaveGroup):     on(0, 5, (*Server).leaveGroup),
		int16(kmsg.DescribeGroups): on(0, 6, (*Server).describeGroups),
		int16(kmsg.ListGroups):     on(0, 5, (*Server).listGroups),
		int16(kmsg.DeleteGroups):   on(0, 2, (*Server).deleteGroups),

		int16(kmsg.InitProducerID):       on(0, 5, (*Server).initProducerID),
		int16(kmsg.AddPartitionsToTxn):   on(0, 3, (*Server).addPartitionsToTxn),
		int16(kmsg.AddOffsetsToTxn):      on(0, 4, (*Server).addOffsetsToTxn),
		int16(kmsg.EndTxn):               on(0, 5, (*Server).endTxn),
		int16(kmsg.TxnOffsetCommit):      on(0, 5, (*Server).txnOffsetCommit),
		int16(kmsg.WriteTxnMarkers):      on(1, 1, (*Server).writeTxnMarkers),
		int16(kmsg.DescribeProducers):    on(0, 0, (*Server).describeProducers),
		int16(kmsg.DescribeTransactions): on(0, 0, (*Server).describeTransactions),
		int16(kmsg.ListTransactions):     on(0, 2, (*Server).listTransactions),

		int16(kmsg.CreateTopics):               on(2, 7, (*Server).createTopics),
		int16(kmsg.DeleteTopics):               on(1, 6, (*Server).deleteTopics),
		int16(kmsg.CreatePartitions):           on(0, 3, (*Server).createPartitions),
		int16(kmsg.DescribeConfigs):            on(1, 4, (*Server).describeConfigs),
		int16(kmsg.AlterConfigs):               on(0, 2, (*Server).alterConfigs),
		int16(kmsg.IncrementalAlterConfigs):    on(0, 1, (*Server).incrementalAlterConfigs),
		int16(kmsg.DescribeLogDirs):            on(1, 4, (*Server).describeLogDirs),
		int16(kmsg.ElectLeaders):               on(0, 2, (*Server).electLeaders),
		int16(kmsg.AlterPartitionAssignments):  on(0, 0, (*Server).alterAssignments),
		int16(kmsg.ListPartitionReassignments): on(0, 0, (*Server).listReassignments),
		int16(kmsg.DescribeClientQuotas):       on(0, 1, (*Server).describeQuotas),

		int16(kmsg.SASLHandshake):                on(0, 1, (*Server).saslHandshake),
		int16(kmsg.SASLAuthenticate):             on(0, 2, (*Server).saslAuthenticate),
		int16(kmsg.DescribeUserSCRAMCredentials): on(0, 0, (*Server).describeUsers),
		int16(kmsg.AlterUserSCRAMCredentials):    on(0, 0, (*Server).alterUsers),
		int16(kmsg.DescribeACLs):                 on(1, 3, (*Server).describeACLs),
		int16(kmsg.CreateACLs):                   on(1, 3, (*Server).createACLs),
		int16(kmsg.DeleteACLs):                   on(1, 3, (*Server).deleteACLs),
	}
}

// APIs are what is served, for wire.Config.
func (s *Server) APIs() []wire.API {
	var all []wire.API
	for key, h := range handlers {
		newest := h.max
		if v := s.config.MaxVersions; v != nil {
			limit, ok := v.LookupMaxKeyVersion(key)
			if !ok || limit < h.min {
				continue
			}
			newest = min(newest, limit)
		}
		all = append(all, wire.API{Key: key, Min: h.min, Max: newest})
	}
	return all
}

// Features are those of wire.Config: with version 2 of transactions each has an epoch of
// its own (KIP-890).
func (s *Server) Features() []wire.Feature {
	if v := s.config.MaxVersions; v != nil {
		if newest, _ := v.LookupMaxKeyVersion(int16(kmsg.EndTxn)); newest < 5 {
			return nil
		}
	}
	return []wire.Feature{{Name: "transaction.version", Min: 0, Max: 2, Level: 2}}
}

func (s *Server) dispatch(ctx context.Context, c *wire.Conn, req kmsg.Request, reply func(wire.Answer)) {
	handlers[req.Key()].serve(s, call{ctx, c, reply}, req)
}
