import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.Provider;
import java.security.Security;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.spi.LoginModule;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;
import javax.security.sasl.SaslServerFactory;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * A Kafka broker that signs clients in as Amazon MSK does, by what a signed request says; it cannot check signatures.
 * Both ways: OAUTHBEARER with a token, AWS_MSK_IAM with a JSON object. Arguments: those of kafka.Kafka.
 */
public final class MskBroker {
    static final String KEY = "AKIAEXAMPLE/";
    static final String SCOPE = "/eu-central-1/kafka-cluster/aws4_request";

    public static void main(String[] arguments) {
        Security.addProvider(new Mechanism());
        kafka.Kafka.main(arguments);
    }

    /** Tells Java of the mechanism. */
    static final class Mechanism extends Provider {
        Mechanism() {
            super("msk", "1", "AWS_MSK_IAM, the server's side");
            putService(new Service(this, "SaslServerFactory", "AWS_MSK_IAM", Factory.class.getName(), null, null) {
                @Override
                public Object newInstance(Object parameter) {
                    return new Factory();
                }
            });
        }
    }

    static boolean signedIn(Map<String, String> said) {
        return "kafka-cluster:Connect".equals(said.get("action"))
                && said.getOrDefault("x-amz-credential", "").startsWith(KEY)
                && said.get("x-amz-credential").endsWith(SCOPE)
                && Integer.parseInt(said.getOrDefault("x-amz-expires", "0")) <= 900
                && said.getOrDefault("x-amz-signature", "").length() == 64;
    }

    /** The broker's check of a token. */
    public static final class Tokens implements AuthenticateCallbackHandler {
        @Override
        public void configure(Map<String, ?> settings, String mechanism, List<AppConfigurationEntry> entries) {}

        @Override
        public void handle(Callback[] callbacks) {
            for (Callback callback : callbacks) {
                if (callback instanceof OAuthBearerValidatorCallback asked) {
                    check(asked);
                } else if (callback instanceof OAuthBearerExtensionsValidatorCallback asked) {
                    asked.inputExtensions().map().forEach((name, value) -> asked.valid(name));
                }
            }
        }

        private static void check(OAuthBearerValidatorCallback asked) {
            String value = asked.tokenValue();
            Map<String, String> said = new HashMap<>();
            try {
                URI url = URI.create(new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8));
                for (String pair : url.getRawQuery().split("&")) {
                    String[] parts = pair.split("=", 2);
                    said.put(parts[0].toLowerCase(), URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
                }
                if (!url.getHost().equals("kafka.eu-central-1.amazonaws.com")) {
                    said.clear();
                }
            } catch (RuntimeException wrong) {
                said.clear();
            }
            if (signedIn(said)) {
                asked.token(new Token(value));
            } else {
                asked.error("invalid_token", null, null);
            }
        }

        @Override
        public void close() {}
    }

    record Token(String value) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public long lifetimeMs() {
            return System.currentTimeMillis() + 900_000;
        }

        @Override
        public String principalName() {
            return "client";
        }

        @Override
        public Long startTimeMs() {
            return null;
        }
    }

    /** What the broker names as its own login; it has none. */
    public static final class NoLogin implements LoginModule {
        @Override
        public void initialize(
                javax.security.auth.Subject subject, CallbackHandler handler, Map<String, ?> state, Map<String, ?> options) {}

        @Override
        public boolean login() {
            return true;
        }

        @Override
        public boolean commit() {
            return true;
        }

        @Override
        public boolean abort() {
            return false;
        }

        @Override
        public boolean logout() {
            return true;
        }
    }

    /** Makes the server's side of AWS_MSK_IAM. */
    public static final class Factory implements SaslServerFactory {
        @Override
        public SaslServer createSaslServer(
                String mechanism, String protocol, String server, Map<String, ?> settings, CallbackHandler handler) {
            return new Iam();
        }

        @Override
        public String[] getMechanismNames(Map<String, ?> settings) {
            return new String[] {"AWS_MSK_IAM"};
        }
    }

    static final class Iam implements SaslServer {
        private boolean done;

        @Override
        public byte[] evaluateResponse(byte[] response) throws SaslException {
            Map<String, String> said = new HashMap<>();
            String text = new String(response, StandardCharsets.UTF_8);
            var pairs = java.util.regex.Pattern.compile("\"([^\"]+)\"\\s*:\\s*\"([^\"]*)\"").matcher(text);
            while (pairs.find()) {
                said.put(pairs.group(1).toLowerCase(), pairs.group(2));
            }
            if (!signedIn(said)) {
                throw new SaslException("not signed in");
            }
            done = true;
            return "{\"version\":\"2020_10_22\",\"request-id\":\"1\"}".getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public boolean isComplete() {
            return done;
        }

        @Override
        public String getAuthorizationID() {
            return "client";
        }

        @Override
        public String getMechanismName() {
            return "AWS_MSK_IAM";
        }

        @Override
        public byte[] unwrap(byte[] incoming, int offset, int length) {
            throw new IllegalStateException();
        }

        @Override
        public byte[] wrap(byte[] outgoing, int offset, int length) {
            throw new IllegalStateException();
        }

        @Override
        public Object getNegotiatedProperty(String name) {
            return null;
        }

        @Override
        public void dispose() {}
    }
}
