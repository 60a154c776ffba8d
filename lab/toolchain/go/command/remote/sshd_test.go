package remote

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// server is a real sshd of this test alone, on a free port of the loopback, with keys of its own.
type server struct {
	port    float64
	hostKey string
	userKey string
	user    string
	log     *bytes.Buffer
}

func newKey(t *testing.T) (private, public string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	block, err := ssh.MarshalPrivateKey(priv, "")
	check(t, err)
	signer, err := ssh.NewPublicKey(pub)
	check(t, err)
	return string(pem.EncodeToMemory(block)), strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer)))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func startServer(t *testing.T) *server {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(sshd); err != nil {
		t.Fatal("these tests need a real sshd: apt-get install openssh-server")
	}
	if os.Getuid() == 0 {
		// What Debian's service creates at boot.
		check(t, os.MkdirAll("/run/sshd", 0o755))
	}
	folder := t.TempDir()
	hostPrivate, hostPublic := newKey(t)
	userPrivate, userPublic := newKey(t)
	port := freePort(t)
	config := write(t, filepath.Join(folder, "sshd_config"), strings.Join([]string{
		fmt.Sprintf("Port %d", port),
		"ListenAddress 127.0.0.1",
		"HostKey " + write(t, filepath.Join(folder, "host"), hostPrivate),
		"AuthorizedKeysFile " + write(t, filepath.Join(folder, "authorized"), userPublic+"\n"),
		"PidFile none", "UsePAM no", "StrictModes no", "PasswordAuthentication no", "PermitRootLogin yes",
		"AcceptEnv GREETING PULUMI_COMMAND_*",
	}, "\n")+"\n")
	log := &bytes.Buffer{}
	process := exec.Command(sshd, "-D", "-e", "-f", config)
	process.Stderr = log
	// A session that is still open holds sshd's stderr, and would be waited for.
	process.WaitDelay = 2 * time.Second
	check(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	me, err := user.Current()
	check(t, err)
	waitFor(t, port)
	return &server{port: float64(port), hostKey: hostPublic, userKey: userPrivate, user: me.Username, log: log}
}

func waitFor(t *testing.T, port int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = connection.Close()
			return
		}
	}
	t.Fatal("sshd did not listen within 10 s")
}

func ptr[T any](value T) *T { return &value }

// endpoint is how this test reaches the server; it gives up after one error.
func (s *server) endpoint() Endpoint {
	return Endpoint{
		Host: ptr("127.0.0.1"), Port: ptr(s.port), User: ptr(s.user), PrivateKey: ptr(s.userKey), HostKey: ptr(s.hostKey),
		DialErrorLimit: ptr(0), PerDialTimeout: ptr(5),
	}
}

func (s *server) args(create string) Args {
	return Args{Connection: &Connection{Endpoint: s.endpoint()}, Create: ptr(create)}
}
