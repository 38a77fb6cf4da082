package server

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/sasl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/wire"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// session is how far a connection has come with saying who it is.
type session struct {
	conversation sasl.Conversation // nil: none is going on
	mechanism    string
	known        bool
	failed       bool // could not say who it is, and ends
}

func sessionOf(c *wire.Conn) *session {
	if c.State == nil {
		c.State = &session{}
	}
	return c.State.(*session)
}

// admitted says whether a connection may ask that: before it has said who it is, only how
// to do so.
func (s *Server) admitted(c *wire.Conn, req kmsg.Request) bool {
	if s.users == nil {
		return true
	}
	state := sessionOf(c)
	if state.known || state.failed {
		return !state.failed
	}
	switch req.(type) {
	case *kmsg.SASLHandshakeRequest, *kmsg.SASLAuthenticateRequest:
		return true
	}
	s.warn(c, "connection closed: it asks before it has authenticated", "request", kmsg.NameForKey(req.Key()))
	return false
}

var mechanisms = []string{sasl.Plain, sasl.ScramSHA256, sasl.ScramSHA512}

// saslHandshake begins a conversation; again on a connection that is known already, it
// authenticates anew.
func (s *Server) saslHandshake(c call, req *kmsg.SASLHandshakeRequest) {
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.SupportedMechanisms = mechanisms
	switch {
	case s.users == nil:
		resp.ErrorCode, resp.SupportedMechanisms = kerr.IllegalSaslState.Code, nil
	case req.Version == 0 && sessionOf(c.conn).known: // that is later clients'
		resp.ErrorCode = kerr.IllegalSaslState.Code
	default:
		conversation, err := s.users.Begin(strings.Clone(req.Mechanism))
		if err != nil {
			resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
			break
		}
		state := sessionOf(c.conn)
		state.conversation, state.mechanism = conversation, req.Mechanism
		if req.Version == 0 {
			c.conn.ExpectTokens()
		}
	}
	c.answer(req, resp)
}

func (s *Server) saslAuthenticate(c call, req *kmsg.SASLAuthenticateRequest) {
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.SASLAuthBytes = []byte{}
	state := sessionOf(c.conn)
	if state.conversation == nil {
		resp.ErrorCode, resp.ErrorMessage = failure(fmt.Errorf("%w: no mechanism was chosen before (SaslHandshake)", kerr.IllegalSaslState))
		c.answer(req, resp)
		return
	}
	answer, err := state.conversation.Step(req.SASLAuthBytes)
	if err != nil {
		state.conversation, state.failed = nil, true
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr(err.Error())
		s.warn(c.conn, "authentication failed", "mechanism", state.mechanism)
		c.answer(req, resp)
		return
	}
	resp.SASLAuthBytes = append(resp.SASLAuthBytes, answer...)
	if user, ok := state.conversation.User(); ok {
		s.know(c.conn, state, user, resp)
	}
	c.answer(req, resp)
}

// know takes note of who a connection is. It stays who it was first.
func (s *Server) know(c *wire.Conn, state *session, user string, resp *kmsg.SASLAuthenticateResponse) {
	state.conversation = nil
	principal := "User:" + user
	if state.known && principal != c.Principal {
		state.failed = true
		resp.ErrorCode, resp.ErrorMessage = failure(fmt.Errorf("%w: this connection is of another user", kerr.SaslAuthenticationFailed))
		return
	}
	state.known, c.Principal = true, principal
	c.Authenticated()
}

func (s *Server) describeUsers(c call, req *kmsg.DescribeUserSCRAMCredentialsRequest) {
	if why := s.refuseUsers(c, kmsg.ACLOperationDescribe); why != nil {
		resp := kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
		resp.ErrorCode, resp.ErrorMessage = failure(why)
		c.answer(req, resp)
		return
	}
	s.users.Describe(req, func(resp *kmsg.DescribeUserSCRAMCredentialsResponse) { c.answer(req, resp) })
}

func (s *Server) alterUsers(c call, req *kmsg.AlterUserSCRAMCredentialsRequest) {
	why := s.refuseUsers(c, kmsg.ACLOperationAlter)
	if why == nil {
		s.users.Alter(req, func(resp *kmsg.AlterUserSCRAMCredentialsResponse) { c.answer(req, resp) })
		return
	}
	resp := kmsg.NewPtrAlterUserSCRAMCredentialsResponse()
	named := map[string]bool{}
	add := func(user string) {
		if named[user] {
			return
		}
		named[user] = true
		result := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
		result.User = user
		result.ErrorCode, result.ErrorMessage = failure(why)
		resp.Results = append(resp.Results, result)
	}
	for _, d := range req.Deletions {
		add(d.Name)
	}
	for _, u := range req.Upsertions {
		add(u.Name)
	}
	c.answer(req, resp)
}

func (s *Server) refuseUsers(c call, op kmsg.ACLOperation) error {
	switch {
	case !s.mayCluster(c.conn, op):
		return kerr.ClusterAuthorizationFailed
	case s.users == nil:
		return fmt.Errorf("%w: nobody has to authenticate at this broker", kerr.InvalidRequest)
	}
	return nil
}

func (s *Server) refuseRules(c call, op kmsg.ACLOperation) error {
	switch {
	case s.rules == nil:
		return fmt.Errorf("%w: this broker has no access rules", kerr.SecurityDisabled)
	case !s.mayCluster(c.conn, op):
		return kerr.ClusterAuthorizationFailed
	}
	return nil
}

func (s *Server) describeACLs(c call, req *kmsg.DescribeACLsRequest) {
	if why := s.refuseRules(c, kmsg.ACLOperationDescribe); why != nil {
		resp := kmsg.NewPtrDescribeACLsResponse()
		resp.ErrorCode, resp.ErrorMessage = failure(why)
		c.answer(req, resp)
		return
	}
	s.rules.Describe(req, func(resp *kmsg.DescribeACLsResponse) { c.answer(req, resp) })
}

func (s *Server) createACLs(c call, req *kmsg.CreateACLsRequest) {
	why := s.refuseRules(c, kmsg.ACLOperationAlter)
	if why == nil {
		s.rules.Create(req, func(resp *kmsg.CreateACLsResponse) { c.answer(req, resp) })
		return
	}
	resp := kmsg.NewPtrCreateACLsResponse()
	for range req.Creations {
		result := kmsg.NewCreateACLsResponseResult()
		result.ErrorCode, result.ErrorMessage = failure(why)
		resp.Results = append(resp.Results, result)
	}
	c.answer(req, resp)
}

func (s *Server) deleteACLs(c call, req *kmsg.DeleteACLsRequest) {
	why := s.refuseRules(c, kmsg.ACLOperationAlter)
	if why == nil {
		s.rules.Delete(req, func(resp *kmsg.DeleteACLsResponse) { c.answer(req, resp) })
		return
	}
	resp := kmsg.NewPtrDeleteACLsResponse()
	for range req.Filters {
		result := kmsg.NewDeleteACLsResponseResult()
		result.ErrorCode, result.ErrorMessage = failure(why)
		resp.Results = append(resp.Results, result)
	}
	c.answer(req, resp)
}
