package server

import (
	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answers gives resp in the version of req.
func (c call) answer(req kmsg.Request, resp kmsg.Response) {
	resp.SetVersion(req.GetVersion())
	c.reply(resp)
}

// mayTopic says whether a connection may do something to a topic.
func (s *Server) mayTopic(c *wire.Conn, op kmsg.ACLOperation, topic string) bool {
	return s.allowed(c, op, kmsg.ACLResourceTypeTopic, topic)
}

func (s *Server) mayGroup(c *wire.Conn, op kmsg.ACLOperation, group string) bool {
	return s.allowed(c, op, kmsg.ACLResourceTypeGroup, group)
}

func (s *Server) mayTxn(c *wire.Conn, op kmsg.ACLOperation, id string) bool {
	return s.allowed(c, op, kmsg.ACLResourceTypeTransactionalId, id)
}

func (s *Server) mayCluster(c *wire.Conn, op kmsg.ACLOperation) bool {
	return s.allowed(c, op, kmsg.ACLResourceTypeCluster, acl.ClusterName)
}

func (s *Server) allowed(c *wire.Conn, op kmsg.ACLOperation, kind kmsg.ACLResourceType, name string) bool {
	return s.rules == nil || s.rules.Allowed(acl.Actor{Principal: c.Principal, Host: c.Host}, op, kind, name)
}

// mayIdempotent says whether a connection may have a producer id: who may write to any
// topic may.
func (s *Server) mayIdempotent(c *wire.Conn) bool {
	return s.mayCluster(c, kmsg.ACLOperationIdempotentWrite) ||
		s.rules.AllowedOnAny(acl.Actor{Principal: c.Principal, Host: c.Host}, kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTopic)
}

// notAsked is how "authorized operations" are answered where they were not asked for.
const notAsked = -1 << 31

var (
	topicOperations = []kmsg.ACLOperation{
		kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationCreate, kmsg.ACLOperationDelete, kmsg.ACLOperationAlter,
		kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs,
	}
	groupOperations = []kmsg.ACLOperation{
		kmsg.ACLOperationRead, kmsg.ACLOperationDelete, kmsg.ACLOperationDescribe,
		kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs,
	}
	clusterOperations = []kmsg.ACLOperation{
		kmsg.ACLOperationCreate, kmsg.ACLOperationAlter, kmsg.ACLOperationDescribe, kmsg.ACLOperationClusterAction,
		kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs, kmsg.ACLOperationIdempotentWrite,
	}
)

// operations are those that a connection may do to a resource, as bits.
func (s *Server) operations(c *wire.Conn, asked bool, all []kmsg.ACLOperation, kind kmsg.ACLResourceType, name string) int32 {
	if !asked {
		return notAsked
	}
	bits := int32(0)
	for _, op := range all {
		if s.allowed(c, op, kind, name) {
			bits |= 1 << op
		}
	}
	return bits
}
