"""Who plays in the demo: invented projects on real networks, with names of real templates."""

from dataclasses import dataclass

PRODUCTION, STAGING, PREVIEW = "production", "staging", "preview"
METIS, HYPERION = "metis", "hyperion"


@dataclass(frozen=True, slots=True)
class Project:
    """A project: where it deploys to, from what, and how much beside the others."""

    slug: str
    name: str
    network: str
    template: str
    framework: str
    weight: float


@dataclass(frozen=True, slots=True)
class Network:
    name: str
    title: str
    chain_id: int | None


# Hyperion is in no public list of chains, so its number stays unknown.
NETWORKS = (
    Network(METIS, "Metis Andromeda", 1088),
    Network(HYPERION, "Hyperion", None),
    Network("ethereum", "Ethereum Mainnet", 1),
    Network("arbitrum", "Arbitrum One", 42161),
    Network("optimism", "OP Mainnet", 10),
)

PROJECTS = (
    Project("storefront", "Storefront", METIS, "evershop", "nextjs", 10),
    Project("checkout", "Checkout", METIS, "ghost", "nextjs", 8),
    Project("wallet-web", "Wallet Web", HYPERION, "dashy", "react", 9),
    Project("bridge-ui", "Bridge UI", HYPERION, "umami", "vue", 7),
    Project("staking-portal", "Staking Portal", METIS, "directus", "nextjs", 6),
    Project("governance", "Governance", METIS, "discourse", "svelte", 4),
    Project("explorer", "Explorer", HYPERION, "dashy", "nextjs", 6),
    Project("faucet", "Faucet", HYPERION, "pocketbase", "astro", 3),
    Project("docs-site", "Documentation", METIS, "docmost", "astro", 5),
    Project("landing", "Landing Pages", METIS, "wordpress", "astro", 4),
    Project("nft-gallery", "NFT Gallery", HYPERION, "immich", "react", 4),
    Project("price-oracle", "Price Oracle", HYPERION, "timescaledb", "express", 4),
    Project("indexer", "Chain Indexer", METIS, "clickhouse", "express", 5),
    Project("notifications", "Notifications", METIS, "ntfy", "fastapi", 3),
    Project("support-desk", "Support Desk", METIS, "chatwoot", "vue", 2),
    Project("analytics-board", "Analytics Board", HYPERION, "metabase", "react", 3),
    Project("identity", "Identity", "ethereum", "keycloak", "fastapi", 3),
    Project("audit-log", "Audit Log", "ethereum", "victoriametrics", "fastapi", 2),
    Project("dex-router", "DEX Router", "arbitrum", "rabbitmq", "express", 4),
    Project("liquidity-bot", "Liquidity Bot", "arbitrum", "n8n", "fastapi", 3),
    Project("lending-app", "Lending App", "arbitrum", "strapi", "nextjs", 3),
    Project("quests", "Quests", "optimism", "nocodb", "svelte", 2),
    Project("leaderboard", "Leaderboard", "optimism", "grafana", "svelte", 2),
    Project("assistant", "Assistant", HYPERION, "flowise", "fastapi", 3),
    Project("legacy-portal", "Legacy Portal", METIS, "joomla", "express", 5),
)

TEMPLATES = {
    "appwrite": "Appwrite",
    "calcom": "Cal.com",
    "chatwoot": "Chatwoot",
    "clickhouse": "ClickHouse",
    "dashy": "Dashy",
    "directus": "Directus",
    "discourse": "Discourse",
    "docmost": "Docmost",
    "evershop": "EverShop",
    "flowise": "Flowise",
    "ghost": "Ghost",
    "gitea-sqlite": "Gitea",
    "grafana": "Grafana",
    "immich": "Immich",
    "joomla": "Joomla",
    "keycloak": "Keycloak",
    "metabase": "Metabase",
    "minio": "MinIO",
    "n8n": "n8n",
    "nocodb": "NocoDB",
    "ntfy": "ntfy",
    "open-webui": "Open WebUI",
    "pocketbase": "PocketBase",
    "rabbitmq": "RabbitMQ",
    "strapi": "Strapi",
    "supabase": "Supabase",
    "timescaledb": "TimescaleDB",
    "umami": "Umami",
    "uptime-kuma": "Uptime Kuma",
    "victoriametrics": "VictoriaMetrics",
    "wordpress": "WordPress",
}

# Seconds that half of a framework's deployments do not exceed.
MEDIAN_SECONDS = {
    "nextjs": 95.0,
    "react": 70.0,
    "vue": 65.0,
    "svelte": 45.0,
    "astro": 38.0,
    "express": 52.0,
    "fastapi": 60.0,
}

PEOPLE = ("ada", "grace", "alan", "barbara", "edsger", "katherine", "linus", "margaret", "tim")

ERRORS = (
    "Build failed: exit code 1",
    "Build failed: out of memory",
    "Health check timed out after 60 s",
    "Container exited with code 137",
    "Migration failed: lock not available",
    "Contract verification failed",
)
OUTAGE_ERROR = "RPC endpoint of hyperion does not answer"
