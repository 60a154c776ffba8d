package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const (
	defaultUser           = "root"
	defaultPort           = 22
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15
	unlimitedDials        = -1

	firstPause  = 100 * time.Millisecond
	longest     = 5 * time.Second
	pauseFactor = 1.5

	keepaliveMiss = 3
)

// keepaliveEvery is shorter in a test.
var keepaliveEvery = 15 * time.Second

// errHostKey stands for a host that is not who it should be: no second attempt makes that better.
var errHostKey = errors.New("host key mismatch")

// Endpoint is what the connection to a host and the one to its bastion have in common.
type Endpoint struct {
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional"           provider:"secret"`
	Host               *string  `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"         provider:"secret"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional" provider:"secret"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
}

// Connection says how a host is reached.
type Connection struct {
	Endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection says how the bastion is reached that the host lies behind.
type ProxyConnection struct{ Endpoint }

// Annotate gives the defaults, which Check writes into the inputs.
func (c *Connection) Annotate(a infer.Annotator) { c.annotate(a) }

// Annotate gives the defaults, which Check writes into the inputs.
func (c *ProxyConnection) Annotate(a infer.Annotator) { c.annotate(a) }

func (e *Endpoint) annotate(a infer.Annotator) {
	a.SetDefault(&e.User, defaultUser)
	a.SetDefault(&e.Port, defaultPort)
	a.SetDefault(&e.DialErrorLimit, defaultDialErrorLimit)
	a.SetDefault(&e.PerDialTimeout, defaultPerDialTimeout)
}

func valueOr[T any](value *T, fallback T) T {
	if value == nil {
		return fallback
	}
	return *value
}

func (e *Endpoint) address() string {
	return net.JoinHostPort(valueOr(e.Host, ""), strconv.Itoa(int(valueOr(e.Port, defaultPort))))
}

// String is what errors call the endpoint.
func (e *Endpoint) String() string { return valueOr(e.User, defaultUser) + "@" + e.address() }

func (e *Endpoint) perDial() time.Duration {
	return time.Duration(valueOr(e.PerDialTimeout, defaultPerDialTimeout)) * time.Second
}

func (e *Endpoint) config(ctx context.Context) (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: valueOr(e.User, defaultUser)}
	if err := e.trust(ctx, config); err != nil {
		return nil, err
	}
	auth, err := e.auth()
	config.Auth = auth
	return config, err
}

// trust pins the host key, where there is one. Without one the published plugin takes any host; so does this, and says so.
func (e *Endpoint) trust(ctx context.Context, config *ssh.ClientConfig) error {
	if e.HostKey == nil {
		provider.GetLogger(ctx).Warningf("%s: no hostKey is given, so nothing verifies that this is the right host", e)
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey()
		return nil
	}
	wanted, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
	if err != nil {
		return fmt.Errorf("%s: its hostKey is not a public key like \"ssh-ed25519 AAAA…\": %w", e, err)
	}
	config.HostKeyAlgorithms = algorithmsFor(wanted.Type())
	config.HostKeyCallback = func(_ string, _ net.Addr, found ssh.PublicKey) error {
		if bytes.Equal(found.Marshal(), wanted.Marshal()) {
			return nil
		}
		return fmt.Errorf("%w: it has %s, and %s is pinned; nothing was run on it",
			errHostKey, ssh.FingerprintSHA256(found), ssh.FingerprintSHA256(wanted))
	}
	return nil
}

// algorithmsFor asks the host for the kind of key that is pinned; an RSA key signs with more than one algorithm.
func algorithmsFor(kind string) []string {
	if kind == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{kind}
}

// auth is the key, then the password, then the agent. An agent that nobody asked for by name may be gone.
func (e *Endpoint) auth() ([]ssh.AuthMethod, error) {
	var methods []ssh.AuthMethod
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, fmt.Errorf("%s: its privateKey cannot be used: %w", e, err)
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		answer := func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = *e.Password
			}
			return answers, nil
		}
		methods = append(methods, ssh.Password(*e.Password), ssh.KeyboardInteractive(answer))
	}
	socket, asked := os.Getenv("SSH_AUTH_SOCK"), e.AgentSocketPath != nil
	if asked {
		socket = *e.AgentSocketPath
	}
	if socket == "" {
		return methods, nil
	}
	connection, err := net.DialTimeout("unix", socket, defaultPerDialTimeout*time.Second)
	switch {
	case err == nil:
		return append(methods, ssh.PublicKeysCallback(agent.NewClient(connection).Signers)), nil
	case asked || len(methods) == 0:
		return nil, fmt.Errorf("%s: the SSH agent does not answer: %w", e, err)
	}
	return methods, nil
}

func (e *Endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

type dialer func(ctx context.Context, address string) (net.Conn, error)

// dial connects, again and again with growing pauses, until the endpoint's limit of errors is passed.
func (e *Endpoint) dial(ctx context.Context, through dialer) (*ssh.Client, error) {
	config, err := e.config(ctx)
	if err != nil {
		return nil, err
	}
	limit := valueOr(e.DialErrorLimit, defaultDialErrorLimit)
	pause := firstPause
	for failures := 1; ; failures++ {
		client, err := e.dialOnce(ctx, through, config)
		if err == nil {
			return client, nil
		}
		if errors.Is(err, errHostKey) {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		if limit > unlimitedDials && failures > limit {
			return nil, fmt.Errorf("%s cannot be reached, after %d attempts: %w", e, failures, err)
		}
		provider.GetLogger(ctx).InfoStatusf("%s does not answer (attempt %d): trying again", e, failures)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: given up while connecting: %w", e, ctx.Err())
		case <-time.After(pause):
		}
		pause = min(time.Duration(float64(pause)*pauseFactor), longest)
	}
}

// dialOnce bounds the whole of it: a host that takes the connection and then says nothing counts as one that does not answer.
func (e *Endpoint) dialOnce(ctx context.Context, through dialer, config *ssh.ClientConfig) (*ssh.Client, error) {
	if limit := e.perDial(); limit > 0 {
		bounded, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = bounded
	}
	raw, err := through(ctx, e.address())
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	connection, channels, requests, err := ssh.NewClientConn(raw, e.address(), config)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no SSH answer within %s: %w", e.perDial(), ctx.Err())
		}
		return nil, err
	}
	return ssh.NewClient(connection, channels, requests), nil
}

func direct(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// open connects to the host, through its bastion where there is one. The caller calls close, which closes both.
func (c *Connection) open(ctx context.Context) (client *ssh.Client, closeAll func(), err error) {
	if c.Proxy == nil {
		client, err = c.dial(ctx, direct)
		if err != nil {
			return nil, nil, err
		}
		return client, func() { _ = client.Close() }, nil
	}
	bastion, err := c.Proxy.dial(ctx, direct)
	if err != nil {
		return nil, nil, fmt.Errorf("the bastion: %w", err)
	}
	client, err = c.dial(ctx, func(ctx context.Context, address string) (net.Conn, error) {
		return bastion.DialContext(ctx, "tcp", address)
	})
	if err != nil {
		_ = bastion.Close()
		return nil, nil, fmt.Errorf("through the bastion %s: %w", &c.Proxy.Endpoint, err)
	}
	return client, func() { _, _ = client.Close(), bastion.Close() }, nil
}

// keepAlive closes a connection whose other end is gone, so that a command on it ends instead of waiting for ever.
func keepAlive(ctx context.Context, client *ssh.Client) {
	ticker := time.NewTicker(keepaliveEvery)
	defer ticker.Stop()
	answered := make(chan struct{}, 1)
	for missed := 0; missed < keepaliveMiss; missed++ {
		go func() {
			if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err == nil {
				select {
				case answered <- struct{}{}:
				default:
				}
			}
		}()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case <-answered:
			missed = -1
		default:
		}
	}
	_ = client.Close()
}
